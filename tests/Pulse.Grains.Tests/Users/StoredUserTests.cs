using Microsoft.Extensions.Time.Testing;
using Pulse.Accounts;
using Pulse.Grains.Presence;
using Pulse.Grains.Storage;
using Pulse.Grains.Users;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

public sealed class StoredUserTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly CountingStore _store = new();
    private readonly Guid _id = Guid.CreateVersion7();
    private readonly StoredUser _user;

    public StoredUserTests() => _user = new(_id, _store, _time);

    [Fact]
    public async Task Load_RowMissing_IsQueriedAtIntervals()
    {
        for (var i = 0; i < 100; i++) Assert.Null(await _user.LoadAsync());
        Assert.Equal(1, _store.Reads);

        _store.Row = TestUsers.New() with { Id = _id };
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(_store.Row, await _user.LoadAsync());
    }

    [Fact]
    public async Task Write_UsesThePresentRow_AndUpdatesTheCache()
    {
        Assert.Null(await _user.LoadAsync());
        Assert.Equal(ProfileSyncOutcome.EmailMissing, (await _user.WriteAsync(new() { Name = "Ada" }, account: null, lastSeenAt: null)).Outcome);
        Assert.Equal(2, _store.Reads);

        var (outcome, row, _) = await _user.WriteAsync(new() { Email = "ada@users.test" }, account: null, lastSeenAt: null);
        Assert.Equal(ProfileSyncOutcome.Created, outcome);
        Assert.Equal(row, await _user.LoadAsync());
    }

    [Fact]
    public async Task LoadFresh_OfARowThatAnotherProgramHasChanged_SeesTheChangeWithinFiveSeconds()
    {
        _store.Row = TestUsers.New() with { Id = _id };
        await _user.LoadFreshAsync();
        for (var i = 0; i < 100; i++) await _user.LoadFreshAsync();
        Assert.Equal(1, _store.Reads);

        _store.Row = _store.Row with { Name = "Changed by SQL", DisabledAt = TestUsers.Noon };
        _time.Advance(StoredUser.FreshFor);

        Assert.Equal("Changed by SQL", (await _user.LoadFreshAsync())!.Name);
        Assert.Equal(UserState.Disabled, _user.State);
        _store.Row = null;
        _time.Advance(StoredUser.FreshFor);
        Assert.Null(await _user.LoadFreshAsync());
    }

    [Fact]
    public async Task LoadFresh_DatabaseUnavailable_ReturnsTheRowForFiveMinutes_ThenNone()
    {
        _store.Row = TestUsers.New() with { Id = _id };
        await _user.LoadFreshAsync();
        _store.IsAway = true;

        _time.Advance(StoredUser.StaleReadLimit - TimeSpan.FromSeconds(1));
        for (var i = 0; i < 100; i++) Assert.Equal(_store.Row, await _user.LoadFreshAsync());
        Assert.Equal(2, _store.Reads);

        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await _user.LoadFreshAsync());

        _store.IsAway = false;
        Assert.Equal(_store.Row, await _user.LoadFreshAsync());
    }

    [Fact]
    public async Task LoadFresh_DatabaseSlow_ReturnsTheRowInMemorySoon_AndTheNextCallerGetsTheAnswer()
    {
        _store.Row = TestUsers.New() with { Id = _id };
        await _user.LoadFreshAsync();
        _store.Silence = new();
        _time.Advance(StoredUser.FreshFor);

        var answer = _user.LoadFreshAsync().AsTask();
        Assert.False(answer.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(300));
        Assert.Equal(_store.Row, await answer);
        for (var i = 0; i < 10; i++) Assert.Equal(_store.Row, await _user.LoadFreshAsync());
        Assert.Equal(2, _store.Reads);

        _store.Row = _store.Row with { Name = "Changed by SQL", DisabledAt = TestUsers.Noon };
        _store.Silence.SetResult();
        Assert.Equal("Changed by SQL", (await _user.LoadFreshAsync())!.Name);
        Assert.Equal(UserState.Disabled, _user.State);
        Assert.Equal(2, _store.Reads);
    }

    [Fact]
    public async Task LoadFresh_AnswerOfAReadFromBeforeAWrite_IsDropped()
    {
        _store.Row = TestUsers.New() with { Id = _id };
        await _user.LoadFreshAsync();
        var silence = _store.Silence = new();
        _time.Advance(StoredUser.FreshFor);
        var answer = _user.LoadFreshAsync().AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(300));
        await answer;

        _store.Silence = null;
        Assert.True(await _user.SetDisabledAsync(true));
        _store.LateRow = _store.Row with { DisabledAt = null };
        silence.SetResult();

        await _user.LoadFreshAsync();
        Assert.Equal(UserState.Disabled, _user.State);
    }

    [Fact]
    public async Task Disable_ThatIsCommittedBeforeTheDatabaseGoesAway_Succeeds_AndEnableToo()
    {
        _store.Row = TestUsers.New() with { Id = _id };
        await _user.LoadFreshAsync();
        _store.IsAway = true;

        Assert.True(await _user.SetDisabledAsync(true));
        Assert.Equal(UserState.Disabled, _user.State);

        Assert.True(await _user.SetDisabledAsync(false));
        Assert.Equal(UserState.Active, _user.State);
    }

    [Fact]
    public async Task Write_OfAnErasedUser_WritesNothing_EvenWithACachedRow()
    {
        _store.Row = TestUsers.New() with { Id = _id };
        await _user.LoadAsync();
        (_store.Row, _store.ErasedAt) = (null, TestUsers.Noon);
        _time.Advance(StoredUser.FreshFor);

        Assert.Equal(ProfileSyncOutcome.Erased, (await _user.WriteAsync(new() { Email = "ada@users.test", Name = "Ada" }, account: null, lastSeenAt: null)).Outcome);
        Assert.Null(_store.Row);
    }

    [Fact]
    public async Task Load_OfARowBesideATombstone_DeletesTheRow()
    {
        (_store.Row, _store.ErasedAt) = (TestUsers.New() with { Id = _id }, TestUsers.Noon);

        Assert.Null(await _user.LoadAsync());
        Assert.Null(_store.Row);
        Assert.Equal(UserState.Erased, _user.State);
    }

    private sealed class CountingStore : IUserStore
    {
        public Task<IReadOnlyList<(UserRow Row, bool IsMisplaced)>> ListAddressesAsync(Guid after, int count, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<bool> IsUpgradedAsync(string name, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task SetUpgradedAsync(string name, CancellationToken cancellationToken) => throw new NotSupportedException();

        public UserRow? Row { get; set; }

        public int Reads { get; private set; }

        public Task WarmUpAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public DateTimeOffset? ErasedAt { get; set; }

        /// <summary>Whether reads fail.</summary>
        public bool IsAway { get; set; }

        /// <summary>Reads begun with it answer when it has ended.</summary>
        public TaskCompletionSource? Silence { get; set; }

        /// <summary>The answer of a read that was silenced, in place of <see cref="Row"/>.</summary>
        public UserRow? LateRow { get; set; }

        public async Task<(UserRow? Row, DateTimeOffset? ErasedAt)> FindWithTombstoneAsync(Guid userId, CancellationToken cancellationToken)
        {
            Reads++;
            if (Silence is { } silence)
            {
                await silence.Task;
                return (LateRow ?? Row, ErasedAt);
            }

            return IsAway ? throw new StoreUnavailableException("test") : (Row, ErasedAt);
        }

        public Task<IReadOnlyList<UserRow>> ListAfterAsync(Guid after, int count, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<UserRow>> FindByEmailAsync(string email, int count, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> SetDisabledAsync(Guid userId, DateTimeOffset? disabledAt, CancellationToken cancellationToken)
        {
            Row = Row! with { DisabledAt = disabledAt };
            return Task.FromResult(true);
        }

        public Task EraseAsync(Guid userId, Guid[] accounts, string[] mailboxes, DateTimeOffset at, CancellationToken cancellationToken)
        {
            (Row, ErasedAt) = (null, at);
            return Task.CompletedTask;
        }

        public Task<DateTimeOffset?> FindTombstoneAsync(Guid id, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyDictionary<Guid, DateTimeOffset>> FindLastSeenAsync(IReadOnlyCollection<Guid> userIds, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<IReadOnlyList<UserRow>> ListNewestAsync(int count, CancellationToken cancellationToken) => throw new NotSupportedException();

        public async Task<(UserRow? Found, UserWrite Insert)> FindOrInsertAsync(UserRow user, CancellationToken cancellationToken) =>
            Row is null ? (null, await InsertAsync(user, account: null, cancellationToken)) : (Row, UserWrite.Stale);

        public Task<UserWrite> InsertAsync(UserRow user, ExternalAccount? account, CancellationToken cancellationToken)
        {
            Row = user;
            return Task.FromResult(UserWrite.Saved);
        }

        public Task<UserWrite> UpdateProfileAsync(UserRow user, MailboxMove? move, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlySet<Guid>> SaveLastSeenAsync(IReadOnlyCollection<LastSeen> seen, BatchLimits limits) => throw new NotSupportedException();
    }
}
