using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using Pulse.Grains.Identity;
using Pulse.Identity;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

/// <summary>The rules of sessions, with a clock and a table that the test controls.</summary>
public sealed class UserSessionsTests
{
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly MemorySessionStore _store = new();
    private readonly Guid _userId = Guid.CreateVersion7();
    private readonly UserSessions _sessions;

    public UserSessionsTests() => _sessions = Activate();

    private DateTimeOffset Now => _time.GetUtcNow();

    [Fact]
    public async Task Start_IsInTheTableForSevenDays()
    {
        var session = await StartAsync(NewHash(), "Firefox", "10.0.0.1");

        var row = Assert.Single(_store.Rows.Values);
        Assert.Equal((session.Id, Now, Now, Now + 7 * s_day, "Firefox", "10.0.0.1"), (row.Id, row.CreatedAt, row.LastUsedAt, row.ExpiresAt, row.Device, row.Address));
        Assert.False(session.Renewed);
    }

    [Fact]
    public async Task Start_ForAUserWithoutRow_IsNull()
    {
        _store.HasUser = false;

        Assert.Null(await _sessions.StartAsync(new() { TokenHash = NewHash() }));
        Assert.Empty(await _sessions.ListAsync());
    }

    [Fact]
    public async Task Start_Repeated_IsTheSameSession()
    {
        var hash = NewHash();

        Assert.Equal((await StartAsync(hash)).Id, (await StartAsync(hash)).Id);
        Assert.Single(_store.Rows);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public async Task Start_WithAnInvalidHash_IsRefused(int length) =>
        await Assert.ThrowsAsync<ArgumentException>(() => _sessions.StartAsync(new() { TokenHash = new byte[length] }));

    [Fact]
    public async Task Start_WithALongDevice_CutsItBetweenCharacters()
    {
        await StartAsync(NewHash(), new string('a', 399) + "🦊\0b", "\0 ");

        var row = Assert.Single(_store.Rows.Values);
        Assert.Equal(new string('a', 399) + "\uFFFD", row.Device);
        Assert.Null(row.Address);
    }

    [Fact]
    public async Task Start_TheFiftyFirst_EndsTheOneUnusedForLongest()
    {
        var hashes = new List<byte[]>();
        for (var i = 0; i < UserSessions.MaxLive; i++)
        {
            hashes.Add(NewHash());
            await StartAsync(hashes[^1]);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        _time.Advance(s_day);
        Assert.NotNull(await _sessions.AuthenticateAsync(hashes[0], null));
        await StartAsync(NewHash());

        Assert.Equal(UserSessions.MaxLive, _store.Rows.Count);
        Assert.NotNull(await _sessions.AuthenticateAsync(hashes[0], null));
        Assert.Null(await _sessions.AuthenticateAsync(hashes[1], null));
    }

    [Fact]
    public async Task Authenticate_WithinADay_WritesNothing()
    {
        var hash = NewHash();
        var session = await StartAsync(hash);
        var writes = _store.Writes;

        for (var i = 0; i < 23; i++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            Assert.Equal(session, await _sessions.AuthenticateAsync(hash, "10.0.0.9"));
        }

        Assert.Equal(writes, _store.Writes);
    }

    [Fact]
    public async Task Authenticate_ADayLater_SlidesOnce()
    {
        var hash = NewHash();
        await StartAsync(hash, address: "10.0.0.1");
        var writes = _store.Writes;
        _time.Advance(s_day);

        var slid = (await _sessions.AuthenticateAsync(hash, "10.0.0.2"))!;
        var again = (await _sessions.AuthenticateAsync(hash, "10.0.0.3"))!;

        Assert.Equal((true, Now, Now + 7 * s_day, "10.0.0.2"), (slid.Renewed, slid.LastUsedAt, slid.ExpiresAt, slid.Address));
        Assert.Equal(slid with { Renewed = false }, again);
        Assert.Equal(writes + 1, _store.Writes);
    }

    [Fact]
    public async Task Authenticate_UsedEveryDay_EndsAfterThirtyDays()
    {
        var hash = NewHash();
        var start = (await StartAsync(hash)).CreatedAt;
        for (var day = 1; day < 30; day++)
        {
            _time.Advance(s_day);
            var session = (await _sessions.AuthenticateAsync(hash, null))!;
            Assert.InRange(session.ExpiresAt, Now, start + 30 * s_day);

            // At the cap the expiry stays the same, so the cookie needs no update.
            Assert.Equal(day <= 23, session.Renewed);
        }

        _time.Advance(s_day - TimeSpan.FromSeconds(1));
        Assert.NotNull(await _sessions.AuthenticateAsync(hash, null));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await _sessions.AuthenticateAsync(hash, null));
    }

    [Fact]
    public async Task Authenticate_UnusedForSevenDays_HasEnded()
    {
        var hash = NewHash();
        var session = await StartAsync(hash);
        _time.Advance(7 * s_day);

        Assert.Null(await _sessions.AuthenticateAsync(hash, null));
        Assert.False(await _sessions.IsLiveAsync(session.Id));
        Assert.Empty(await _sessions.ListAsync());
    }

    [Fact]
    public async Task Activation_RemovesExpiredRows()
    {
        await StartAsync(NewHash());
        _time.Advance(7 * s_day);

        Assert.Empty(await Activate().ListAsync());
        Assert.Empty(_store.Rows);
    }

    [Fact]
    public async Task Authenticate_UnknownSecret_IsRefused()
    {
        await StartAsync(NewHash());

        Assert.Null(await _sessions.AuthenticateAsync(NewHash(), null));
        Assert.Null(await _sessions.AuthenticateAsync([], null));
    }

    [Fact]
    public async Task End_IsTrueAtOnce_AndOnlyOnce()
    {
        var hash = NewHash();
        var session = await StartAsync(hash);

        Assert.True(await _sessions.EndAsync(session.Id));
        Assert.Null(await _sessions.AuthenticateAsync(hash, null));
        Assert.False(await _sessions.IsLiveAsync(session.Id));
        Assert.Empty(_store.Rows);
        Assert.False(await _sessions.EndAsync(session.Id));
    }

    [Fact]
    public async Task EndAll_EndsAll()
    {
        await StartAsync(NewHash());
        await StartAsync(NewHash());

        await _sessions.EndAllAsync();

        Assert.Empty(await _sessions.ListAsync());
        Assert.Empty(_store.Rows);
    }

    [Fact]
    public async Task List_HasTheLatestUsedFirst()
    {
        var (older, newer) = (NewHash(), NewHash());
        var first = await StartAsync(older);
        _time.Advance(TimeSpan.FromHours(1));
        var second = await StartAsync(newer);
        Assert.Equal([second.Id, first.Id], (await _sessions.ListAsync()).Select(session => session.Id));

        _time.Advance(s_day);
        await _sessions.AuthenticateAsync(older, null);
        Assert.Equal([first.Id, second.Id], (await _sessions.ListAsync()).Select(session => session.Id));
    }

    [Fact]
    public async Task End_ByAnotherActivation_IsKnownWithinSeconds()
    {
        var hash = NewHash();
        var session = await StartAsync(hash);
        await Activate().EndAsync(session.Id);

        _time.Advance(UserSessions.FreshFor);

        Assert.Null(await _sessions.AuthenticateAsync(hash, null));
        Assert.False(await _sessions.IsLiveAsync(session.Id));
    }

    [Fact]
    public async Task Slide_AfterAnotherActivationEndedTheSession_EndsItHereToo()
    {
        var hash = NewHash();
        await StartAsync(hash);
        _time.Advance(s_day);
        await _sessions.ListAsync();
        _store.Rows.Clear();

        Assert.Null(await _sessions.AuthenticateAsync(hash, null));
        Assert.Empty(_store.Rows);
    }

    [Fact]
    public async Task Checks_WithinSeconds_ReadOnce()
    {
        var session = await StartAsync(NewHash());
        var reads = _store.Reads;
        for (var i = 0; i < 100; i++) Assert.True(await _sessions.IsLiveAsync(session.Id));

        Assert.Equal(reads, _store.Reads);
    }

    [Fact]
    public async Task DatabaseUnavailable_CachedSessionsAreAccepted_ForFiveMinutes()
    {
        var hash = NewHash();
        var session = await StartAsync(hash);
        _store.IsAway = true;

        _time.Advance(UserSessions.StaleReadLimit - TimeSpan.FromSeconds(1));
        Assert.NotNull(await _sessions.AuthenticateAsync(hash, null));
        Assert.True(await _sessions.IsLiveAsync(session.Id));

        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _sessions.AuthenticateAsync(hash, null));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _sessions.IsLiveAsync(session.Id));
    }

    [Fact]
    public async Task DatabaseUnavailable_IsQueriedAtIntervals()
    {
        var session = await StartAsync(NewHash());
        _store.IsAway = true;
        _time.Advance(UserSessions.FreshFor);
        var reads = _store.Reads;
        for (var i = 0; i < 100; i++) Assert.True(await _sessions.IsLiveAsync(session.Id));

        Assert.Equal(reads + 1, _store.Reads);
    }

    [Fact]
    public async Task DatabaseUnavailable_SessionsCanNeitherStartNorEnd()
    {
        var hash = NewHash();
        var session = await StartAsync(hash);
        _store.IsAway = true;

        await Assert.ThrowsAsync<StoreUnavailableException>(() => StartAsync(NewHash()));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _sessions.EndAsync(session.Id));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _sessions.EndAllAsync());
        _store.IsAway = false;

        Assert.NotNull(await _sessions.AuthenticateAsync(hash, null));
    }

    [Fact]
    public async Task DatabaseUnavailable_DueSlideWaits()
    {
        var hash = NewHash();
        var session = await StartAsync(hash);
        _time.Advance(s_day);
        await _sessions.ListAsync();
        _store.IsAway = true;

        Assert.Equal(session, await _sessions.AuthenticateAsync(hash, null));
        _store.IsAway = false;
        _time.Advance(UserSessions.FreshFor);

        Assert.True((await _sessions.AuthenticateAsync(hash, null))!.Renewed);
    }

    [Fact]
    public async Task ShortLifetime_SlidesHalfWay()
    {
        var sessions = new UserSessions(_userId, _store, new() { SessionLifetime = TimeSpan.FromMinutes(10) }, _time);
        var hash = NewHash();
        await sessions.StartAsync(new() { TokenHash = hash });

        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.False((await sessions.AuthenticateAsync(hash, null))!.Renewed);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True((await sessions.AuthenticateAsync(hash, null))!.Renewed);
    }

    [Fact]
    public async Task Ended_ReturnsSessionsEndedHere_Once()
    {
        var sessions = new List<SignInSession>();
        for (var i = 0; i <= UserSessions.MaxLive; i++)
        {
            sessions.Add(await StartAsync(NewHash()));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([sessions[0].Id], _sessions.TakeEnded());
        await _sessions.EndAsync(sessions[1].Id);
        Assert.Equal([sessions[1].Id], _sessions.TakeEnded());
        await _sessions.EndAllAsync();
        Assert.Equal(sessions.Skip(2).Select(session => session.Id).Order(), _sessions.TakeEnded().Order());
        Assert.Empty(_sessions.TakeEnded());
    }

    [Fact]
    public async Task Ended_AnswerLost_ReturnsSessionsAfterTheNextRead()
    {
        var (one, other) = (await StartAsync(NewHash()), await StartAsync(NewHash()));
        _store.LosesAnswers = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _sessions.EndAsync(one.Id));
        Assert.True(_sessions.IsInDoubt);

        await _sessions.ResolveDoubtAsync();

        Assert.False(_sessions.IsInDoubt);
        Assert.Equal([one.Id], _sessions.TakeEnded());
        Assert.True(await _sessions.IsLiveAsync(other.Id));
    }

    [Fact]
    public async Task Ended_WriteLostOrOnlyTimePassed_IsEmpty()
    {
        await StartAsync(NewHash());
        _store.IsAway = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(_sessions.EndAllAsync);
        await _sessions.ResolveDoubtAsync();
        Assert.True(_sessions.IsInDoubt);
        _store.IsAway = false;
        _time.Advance(UserSessions.FreshFor);
        await _sessions.ResolveDoubtAsync();
        Assert.Empty(_sessions.TakeEnded());

        _time.Advance(7 * s_day);
        _store.Rows.Clear();
        await _sessions.ListAsync();
        Assert.Empty(_sessions.TakeEnded());
    }

    [Fact]
    public async Task Ended_ByAnotherActivation_AreReturnedAfterTheNextRead()
    {
        var session = await StartAsync(NewHash());
        await Activate().EndAsync(session.Id);
        _time.Advance(UserSessions.FreshFor);
        await _sessions.ListAsync();

        Assert.Equal([session.Id], _sessions.TakeEnded());
    }

    private UserSessions Activate() => new(_userId, _store, new(), _time);

    private async Task<SignInSession> StartAsync(byte[] hash, string? device = null, string? address = null) =>
        (await _sessions.StartAsync(new() { TokenHash = hash, Device = device, Address = address }))!;

    private static byte[] NewHash() => RandomNumberGenerator.GetBytes(32);
}
