using System.Security.Cryptography;
using Pulse.Accounts;
using Pulse.Grains.Identity;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Tests.Users;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

/// <summary>The behaviour of every <see cref="ISessionStore"/>.</summary>
public abstract class SessionStoreContract(StoresFixture stores)
{
    private static readonly DateTimeOffset s_noon = TestUsers.Noon;

    private ISessionStore Sessions => stores.Sessions;

    [Fact]
    public async Task Insert_ThenList_GivesTheRowAsItWas()
    {
        var session = NewSession(await AddUserAsync()) with { Device = "Ünïcode 🦊 '; DROP TABLE sessions --", Address = "2001:db8::1" };

        Assert.True(await Sessions.InsertAsync(session, []));

        Assert.Equal(Values(session), Values(Assert.Single(await Sessions.ListAsync(session.UserId))));
        Assert.Empty(await Sessions.ListAsync(Guid.NewGuid()));
    }

    [Fact]
    public async Task Insert_WithoutDeviceAndAddress_IsStored()
    {
        var session = NewSession(await AddUserAsync());
        await Sessions.InsertAsync(session, []);

        Assert.Equal(Values(session), Values(Assert.Single(await Sessions.ListAsync(session.UserId))));
    }

    [Fact]
    public async Task Insert_ForAUserWithoutRow_WritesNothing()
    {
        var session = NewSession(Guid.NewGuid());

        Assert.False(await Sessions.InsertAsync(session, []));
        Assert.Empty(await Sessions.ListAsync(session.UserId));
    }

    [Fact]
    public async Task SessionOfAnUnlinkedAccount_IsNeitherInsertedNorLive()
    {
        var user = await AddUserAsync();
        var account = new ExternalAccount { Provider = "test", ProviderAccountId = $"{Guid.NewGuid()}", Type = "oidc" };
        var key = new AccountKey(account.Provider, account.ProviderAccountId).ToString();
        Assert.False(await Sessions.InsertAsync(NewSession(user) with { Account = key }, []));

        await stores.Accounts.LinkAsync(account, user, s_noon);
        await stores.Accounts.LinkAsync(account with { Provider = "kept" }, user, s_noon);
        var session = NewSession(user) with { Account = key };
        Assert.True(await Sessions.InsertAsync(session, []));
        Assert.False(Assert.Single(await Sessions.ListAsync(user)).IsOrphaned);

        await stores.Accounts.UnlinkAsync(account.Provider, account.ProviderAccountId, user);
        Assert.True(Assert.Single(await Sessions.ListAsync(user)).IsOrphaned);
        Assert.False(await Sessions.InsertAsync(NewSession(user) with { Account = key }, []));
    }

    [Fact]
    public async Task Insert_Repeated_IsOneRow()
    {
        var session = NewSession(await AddUserAsync());

        Assert.True(await Sessions.InsertAsync(session, []));
        Assert.True(await Sessions.InsertAsync(session, []));
        Assert.Single(await Sessions.ListAsync(session.UserId));
    }

    [Fact]
    public async Task Insert_WithEnded_RemovesOnlyTheUsersOwnSessions()
    {
        var (user, other) = (await AddUserAsync(), await AddUserAsync());
        var (old, kept, strangers) = (NewSession(user), NewSession(user), NewSession(other));
        foreach (var session in new[] { old, kept, strangers }) await Sessions.InsertAsync(session, []);

        var added = NewSession(user);
        await Sessions.InsertAsync(added, [old.Id, strangers.Id]);

        Assert.Equal(new[] { kept.Id, added.Id }.Order(), (await Sessions.ListAsync(user)).Select(row => row.Id).Order());
        Assert.Single(await Sessions.ListAsync(other));
    }

    [Fact]
    public async Task Slide_WritesUseExpiryAndAddress_AndNothingElse()
    {
        var session = NewSession(await AddUserAsync()) with { Device = "Firefox", Address = "10.0.0.1" };
        await Sessions.InsertAsync(session, []);

        var slid = session with { LastUsedAt = s_noon.AddDays(1), ExpiresAt = s_noon.AddDays(8), Address = "10.0.0.2" };
        Assert.True(await Sessions.SlideAsync(slid with { Device = "ignored" }));

        Assert.Equal(Values(slid), Values(Assert.Single(await Sessions.ListAsync(session.UserId))));
    }

    [Fact]
    public async Task Slide_OfAnEndedSession_DoesNotRestoreIt()
    {
        var session = NewSession(await AddUserAsync());
        await Sessions.InsertAsync(session, []);
        await Sessions.DeleteAsync(session.UserId, session.Id);

        Assert.False(await Sessions.SlideAsync(session));
        Assert.Empty(await Sessions.ListAsync(session.UserId));
    }

    [Fact]
    public async Task Delete_IsForTheOwnerOnly_AndOnce()
    {
        var session = NewSession(await AddUserAsync());
        await Sessions.InsertAsync(session, []);

        Assert.False(await Sessions.DeleteAsync(Guid.NewGuid(), session.Id));
        Assert.True(await Sessions.DeleteAsync(session.UserId, session.Id));
        Assert.False(await Sessions.DeleteAsync(session.UserId, session.Id));
    }

    [Fact]
    public async Task DeleteAll_LeavesOthersAlone()
    {
        var (user, other) = (await AddUserAsync(), await AddUserAsync());
        foreach (var owner in new[] { user, user, other }) await Sessions.InsertAsync(NewSession(owner), []);

        await Sessions.DeleteAllAsync(user);

        Assert.Empty(await Sessions.ListAsync(user));
        Assert.Single(await Sessions.ListAsync(other));
    }

    [Fact]
    public async Task DeleteExpired_DeletesSessionsExpiredByThen()
    {
        var user = await AddUserAsync();
        var live = NewSession(user) with { ExpiresAt = s_noon.AddTicks(10) };
        foreach (var session in new[] { live, NewSession(user) with { ExpiresAt = s_noon }, NewSession(user) with { ExpiresAt = s_noon.AddDays(-1) } })
            await Sessions.InsertAsync(session, []);

        await Sessions.DeleteExpiredAsync(user, s_noon);

        Assert.Equal(live.Id, Assert.Single(await Sessions.ListAsync(user)).Id);
    }

    [Fact]
    public async Task Sweep_DeletesTheOldestFirst_UpToItsLimit()
    {
        // Long ago, so that sessions of other tests are not in the way.
        var user = await AddUserAsync();
        var then = s_noon.AddYears(-20);
        var sessions = Enumerable.Range(0, 5).Select(day => NewSession(user) with { ExpiresAt = then.AddDays(day) }).ToArray();
        foreach (var session in sessions) await Sessions.InsertAsync(session, []);

        Assert.Equal(2, await Sessions.SweepAsync(then.AddDays(3), limit: 2));
        Assert.Equal(sessions[2..].Select(session => session.Id).Order(), (await Sessions.ListAsync(user)).Select(row => row.Id).Order());
        Assert.Equal(2, await Sessions.SweepAsync(then.AddDays(3), limit: 100));
        Assert.Equal(sessions[4].Id, Assert.Single(await Sessions.ListAsync(user)).Id);
        await Sessions.DeleteAllAsync(user);
    }

    [Fact]
    public async Task DeletedUser_TakesItsSessionsAlong()
    {
        var session = NewSession(await AddUserAsync());
        await Sessions.InsertAsync(session, []);

        await stores.ExecuteAsync($"DELETE FROM users WHERE id = '{session.UserId}'");

        Assert.Empty(await Sessions.ListAsync(session.UserId));
    }

    private async Task<Guid> AddUserAsync()
    {
        var user = TestUsers.New();
        await stores.Users.InsertAsync(user, account: null);
        return user.Id;
    }

    private static SessionRow NewSession(Guid userId) => new(
        Guid.CreateVersion7(), userId, RandomNumberGenerator.GetBytes(32), s_noon, s_noon, s_noon.AddDays(7), Device: null, Address: null);

    // Arrays in records are compared by reference.
    private static (SessionRow, string) Values(SessionRow row) => (row with { TokenHash = s_none }, Convert.ToHexString(row.TokenHash));

    private static readonly byte[] s_none = [];
}
