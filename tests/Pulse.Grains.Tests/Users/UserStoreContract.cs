using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Identity;
using Pulse.Grains.Presence;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>The behaviour of every <see cref="IUserStore"/>.</summary>
public abstract class UserStoreContract(StoresFixture stores)
{
    private readonly IUserStore _users = stores.Users;

    [Fact]
    public async Task WarmUp_InsertsNoUser()
    {
        await _users.WarmUpAsync();

        Assert.Null(await _users.FindAsync(Guid.Empty));
    }

    [Fact]
    public async Task Find_UnknownUser_IsNull() => Assert.Null(await _users.FindAsync(Guid.NewGuid()));

    [Fact]
    public async Task FindOrInsert_UnknownUser_Inserts_AndAfterwardsFindsTheRow()
    {
        var user = TestUsers.New();

        Assert.Equal((null, UserWrite.Saved), await _users.FindOrInsertAsync(user));
        Assert.Equal(user, await _users.FindAsync(user.Id));
        Assert.Equal(user, (await _users.FindOrInsertAsync(user with { Name = "Another", Email = TestUsers.New().Email })).Found);
        Assert.Equal(user, await _users.FindAsync(user.Id));
    }

    [Fact]
    public async Task FindOrInsert_EmailOfAnother_IsTaken_AndNothingIsInserted()
    {
        var first = TestUsers.New();
        await _users.InsertAsync(first, account: null);
        var second = TestUsers.New(first.Email);

        Assert.Equal((null, UserWrite.EmailTaken), await _users.FindOrInsertAsync(second));
        Assert.Null(await _users.FindAsync(second.Id));
    }

    [Fact]
    public async Task FindOrInsert_ManyAtOnce_InsertOne()
    {
        var user = TestUsers.New();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => _users.FindOrInsertAsync(user))));

        Assert.Single(outcomes, outcome => outcome.Insert == UserWrite.Saved);
        Assert.All(outcomes, outcome => Assert.NotEqual(UserWrite.EmailTaken, outcome.Insert));
        Assert.Equal(user, await _users.FindAsync(user.Id));
    }

    [Fact]
    public async Task FindOrInsert_ManyUsersAtOnce_AnswersEachByItself()
    {
        var known = TestUsers.New();
        await _users.InsertAsync(known, account: null);
        var everything = TestUsers.New() with { EmailVerified = true, Name = "Žofie 🦊 عمر ﷽", Avatar = "https://example.com/ž.png", LastSeenAt = TestUsers.Noon };
        UserRow[] users = [known with { Name = "Another" }, everything, .. Enumerable.Range(0, 50).Select(_ => TestUsers.New()), TestUsers.New(known.Email)];

        var answers = await Task.WhenAll(users.Select(user => Task.Run(() => _users.FindOrInsertAsync(user))));

        Assert.Equal((known, UserWrite.Stale), answers[0]);
        Assert.All(answers[1..^1], answer => Assert.Equal((null, UserWrite.Saved), answer));
        Assert.Equal((null, UserWrite.EmailTaken), answers[^1]);
        foreach (var user in users[1..^1]) Assert.Equal(user, await _users.FindAsync(user.Id));
        Assert.Equal(known, await _users.FindAsync(known.Id));
        Assert.Null(await _users.FindAsync(users[^1].Id));
    }

    [Fact]
    public async Task FindOrInsert_OneEmailOfManyAtOnce_InsertsOne()
    {
        var email = TestUsers.New().Email;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => _users.FindOrInsertAsync(TestUsers.New(email)))));

        Assert.Single(outcomes, outcome => outcome.Insert == UserWrite.Saved);
        Assert.Equal(19, outcomes.Count(outcome => outcome.Insert == UserWrite.EmailTaken));
    }

    [Fact]
    public async Task ListNewest_ReturnsWholeRowsByIdLatestFirst_UpToTheLimit()
    {
        // Later than the ids of all other tests, random ones included, and inserted in another order.
        var users = Enumerable.Range(1, 4).Select(i => TestUsers.New() with { Id = new($"ffffffff-ffff-7fff-bfff-00000000000{i}") }).ToArray();
        users[2] = users[2] with { Avatar = "https://example.com/a.png", LastSeenAt = TestUsers.Noon, Version = 3 };
        foreach (var index in new[] { 2, 0, 3, 1 }) await _users.InsertAsync(users[index], account: null);

        Assert.Equal([users[3], users[2], users[1]], await _users.ListNewestAsync(3));
    }

    [Fact]
    public async Task Insert_ThenFind_GivesEveryColumnBack()
    {
        var user = TestUsers.New() with
        {
            EmailVerified = true,
            Name = "Žofie 🦊 عمر ﷽",
            Avatar = "https://example.com/ž.png",
            LastSeenAt = TestUsers.Noon.AddTicks(10),
            Version = 7,
        };

        Assert.Equal(UserWrite.Saved, await _users.InsertAsync(user, account: null));

        Assert.Equal(user, await _users.FindAsync(user.Id));
    }

    [Fact]
    public async Task Insert_TimesWithOffsetAndTicks_AreReadAsUtcMicroseconds()
    {
        var local = new DateTimeOffset(2030, 7, 1, 1, 30, 0, TimeSpan.FromHours(2)).AddTicks(1_234_567);
        var user = TestUsers.New() with { CreatedAt = local, LastSeenAt = local };

        await _users.InsertAsync(user, account: null);

        var stored = await _users.FindAsync(user.Id);
        var expected = new DateTimeOffset(2030, 6, 30, 23, 30, 0, TimeSpan.Zero).AddTicks(1_234_560);
        Assert.Equal((expected, TimeSpan.Zero), (stored!.CreatedAt, stored.CreatedAt.Offset));
        Assert.Equal(expected, stored.LastSeenAt);
    }

    [Fact]
    public async Task Find_RowOfAnotherProgram_HasTheDefaults()
    {
        var id = Guid.CreateVersion7();
        await stores.ExecuteAsync($"INSERT INTO users (id, email, name, avatar) VALUES ('{id}', '{id:N}@example.com', 'Script', NULL)");

        var user = await _users.FindAsync(id);

        Assert.Equal((false, 0L, null), (user!.EmailVerified, user.Version, user.LastSeenAt));
        Assert.InRange(user.CreatedAt, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
    }

    [Fact]
    public async Task Insert_FiftyAtOnceWithOneEmail_OneIsSaved()
    {
        var email = TestUsers.New().Email;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => _users.InsertAsync(TestUsers.New(email), account: null))));

        Assert.Equal(1, outcomes.Count(outcome => outcome == UserWrite.Saved));
        Assert.Equal(49, outcomes.Count(outcome => outcome == UserWrite.EmailTaken));
    }

    [Fact]
    public async Task Insert_FiftyAtOnceWithOneAccount_OneIsSavedAndNoOtherUserIsLeft()
    {
        var account = NewAccount();
        var users = Enumerable.Range(0, 50).Select(_ => TestUsers.New()).ToList();

        var outcomes = await Task.WhenAll(users.Select(user => Task.Run(() => _users.InsertAsync(user, account))));

        var winner = users[Array.IndexOf(outcomes, UserWrite.Saved)];
        Assert.Equal(49, outcomes.Count(outcome => outcome == UserWrite.AccountTaken));
        Assert.Equal(winner.Id, (await stores.Accounts.FindAsync(account.Provider, account.ProviderAccountId))?.UserId);
        foreach (var user in users) Assert.Equal(user == winner ? user : null, await _users.FindAsync(user.Id));
    }

    [Fact]
    public async Task Insert_EmailTaken_LeavesNoAccount()
    {
        var (first, account) = (TestUsers.New(), NewAccount());
        await _users.InsertAsync(first, account: null);

        Assert.Equal(UserWrite.EmailTaken, await _users.InsertAsync(TestUsers.New(first.Email), account));

        Assert.Null(await stores.Accounts.FindAsync(account.Provider, account.ProviderAccountId));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Insert_TheSameUserAgain_IsStale(bool withAccount)
    {
        var (user, account) = (TestUsers.New(), withAccount ? NewAccount() : null);
        await _users.InsertAsync(user, account);

        Assert.Equal(UserWrite.Stale, await _users.InsertAsync(user, account));
        Assert.Equal(UserWrite.Stale, await _users.InsertAsync(user with { Email = TestUsers.New().Email }, account));
        Assert.Equal(user, await _users.FindAsync(user.Id));
    }

    [Fact]
    public async Task Insert_TheSameUserFromManySidesAtOnce_OneIsSavedTheOthersStale()
    {
        var (user, account) = (TestUsers.New(), NewAccount());

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => _users.InsertAsync(user, account))));

        Assert.Equal(1, outcomes.Count(outcome => outcome == UserWrite.Saved));
        Assert.Equal(19, outcomes.Count(outcome => outcome == UserWrite.Stale));
    }

    [Fact]
    public async Task UpdateProfile_CurrentVersion_WritesAndRaisesIt()
    {
        var user = TestUsers.New() with { LastSeenAt = TestUsers.Noon };
        await _users.InsertAsync(user, account: null);
        var changed = user with { Email = TestUsers.New().Email, EmailVerified = true, Name = "Grace", Avatar = "https://example.com/g.png" };

        Assert.Equal(UserWrite.Saved, await _users.UpdateProfileAsync(changed));

        Assert.Equal(changed with { Version = 1 }, await _users.FindAsync(user.Id));
    }

    [Fact]
    public async Task UpdateProfile_LateWriter_LosesAndChangesNothing()
    {
        var user = TestUsers.New();
        await _users.InsertAsync(user, account: null);
        await _users.UpdateProfileAsync(user with { Name = "First" });

        Assert.Equal(UserWrite.Stale, await _users.UpdateProfileAsync(user with { Name = "Late" }));

        Assert.Equal("First", (await _users.FindAsync(user.Id))!.Name);
    }

    [Fact]
    public async Task UpdateProfile_ManyAtOnceFromOneVersion_OneIsSaved()
    {
        var user = TestUsers.New();
        await _users.InsertAsync(user, account: null);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => _users.UpdateProfileAsync(user with { Name = $"{i}" }))));

        Assert.Equal(1, outcomes.Count(outcome => outcome == UserWrite.Saved));
        Assert.Equal(19, outcomes.Count(outcome => outcome == UserWrite.Stale));
        Assert.Equal(1, (await _users.FindAsync(user.Id))!.Version);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UnprovenEmail_MayBelongToManyUsers(bool firstIsProven)
    {
        var first = TestUsers.New() with { EmailVerified = firstIsProven };
        UserRow[] others = [.. Enumerable.Range(0, 5).Select(_ => TestUsers.New(first.Email) with { EmailVerified = false })];
        Assert.Equal(UserWrite.Saved, await _users.InsertAsync(first, account: null));

        foreach (var user in others[1..]) Assert.Equal((null, UserWrite.Saved), await _users.FindOrInsertAsync(user));
        Assert.Equal(UserWrite.Saved, await _users.InsertAsync(others[0], account: null));

        foreach (var user in others.Append(first)) Assert.Equal(user, await _users.FindAsync(user.Id));
        Assert.Equal(firstIsProven ? 1L : 0L, await stores.ExecuteAsync($"SELECT count(*) FROM users WHERE email = '{first.Email}'"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ProvenEmail_IsTakenFromAUserWithTheUnprovenOne_InTheUniqueColumn(bool inserts)
    {
        // As a version before 004, or another program, writes it.
        var (squatter, owner) = (TestUsers.New(), TestUsers.New());
        await stores.ExecuteAsync($"INSERT INTO users (id, email, name) VALUES ('{squatter.Id}', '{squatter.Email}', 'Squatter')");
        var wanted = owner with { Email = squatter.Email };
        if (!inserts) await _users.InsertAsync(owner, account: null);

        async Task<UserWrite> WriteAsync() => inserts ? (await _users.FindOrInsertAsync(wanted)).Insert : await _users.UpdateProfileAsync(wanted);
        Assert.Equal(UserWrite.Stale, await WriteAsync());
        Assert.Equal(UserWrite.Saved, await WriteAsync());

        var former = await _users.FindAsync(squatter.Id);
        Assert.Equal((squatter.Email, false, 1L), (former!.Email, former.EmailVerified, former.Version));
        Assert.Equal((squatter.Email, true), await _users.FindAsync(owner.Id) is { } found ? (found.Email, found.EmailVerified) : default);
    }

    [Fact]
    public async Task UpdateProfile_UnknownUser_IsStale() => Assert.Equal(UserWrite.Stale, await _users.UpdateProfileAsync(TestUsers.New()));

    [Fact]
    public async Task UpdateProfile_EmailOfAnotherUser_IsTakenAndChangesNothing()
    {
        var (other, user) = (TestUsers.New(), TestUsers.New());
        await _users.InsertAsync(other, account: null);
        await _users.InsertAsync(user, account: null);

        Assert.Equal(UserWrite.EmailTaken, await _users.UpdateProfileAsync(user with { Email = other.Email, Name = "Thief" }));

        Assert.Equal(user, await _users.FindAsync(user.Id));
    }

    [Fact]
    public async Task FindLastSeen_AnswersForUsersWithARowAndALastSeen()
    {
        var (seen, later, unseen) = (TestUsers.New() with { LastSeenAt = TestUsers.Noon }, TestUsers.New() with { LastSeenAt = TestUsers.Noon.AddMicroseconds(1) }, TestUsers.New());
        foreach (var user in new[] { seen, later, unseen }) await _users.InsertAsync(user, account: null);

        var found = await _users.FindLastSeenAsync([later.Id, Guid.NewGuid(), unseen.Id, seen.Id]);

        Assert.Equal(new Dictionary<Guid, DateTimeOffset> { [seen.Id] = TestUsers.Noon, [later.Id] = TestUsers.Noon.AddMicroseconds(1) }, found);
        Assert.Empty(await _users.FindLastSeenAsync([]));
    }

    [Fact]
    public async Task SaveLastSeen_EarlierTime_IsIgnored()
    {
        var user = TestUsers.New();
        await _users.InsertAsync(user, account: null);

        await _users.SaveAsync([new(user.Id, TestUsers.Noon)]);
        await _users.SaveAsync([new(user.Id, TestUsers.Noon.AddMicroseconds(-1))]);

        Assert.Equal(user with { LastSeenAt = TestUsers.Noon }, await _users.FindAsync(user.Id));

        await _users.SaveAsync([new(user.Id, TestUsers.Noon.AddMicroseconds(1).ToOffset(TimeSpan.FromHours(-5)))]);

        Assert.Equal(user with { LastSeenAt = TestUsers.Noon.AddMicroseconds(1) }, await _users.FindAsync(user.Id));
    }

    [Fact]
    public async Task SaveLastSeen_ManyTimesForOneUserAtOnce_TheLatestStays()
    {
        var user = TestUsers.New();
        await _users.InsertAsync(user, account: null);

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() =>
            _users.SaveAsync([new(user.Id, TestUsers.Noon.AddSeconds(i * 17 % 40))]))));

        Assert.Equal(TestUsers.Noon.AddSeconds(39), (await _users.FindAsync(user.Id))!.LastSeenAt);
    }

    [Fact]
    public async Task SaveLastSeen_UnknownUsers_AreIgnored()
    {
        var user = TestUsers.New();
        await _users.InsertAsync(user, account: null);

        await _users.SaveAsync([new(Guid.NewGuid(), TestUsers.Noon), new(user.Id, TestUsers.Noon), new(Guid.NewGuid(), TestUsers.Noon)]);
        await _users.SaveAsync([new(Guid.NewGuid(), TestUsers.Noon)]);
        Assert.Empty(await _users.SaveLastSeenAsync([], BatchLimits.Shared));

        Assert.Equal(TestUsers.Noon, (await _users.FindAsync(user.Id))!.LastSeenAt);
    }

    [Fact]
    public async Task SaveLastSeen_BatchOfFiveThousand_IsSavedWhole()
    {
        var ids = await InsertManyAsync(5_000);

        await _users.SaveAsync([.. ids.Select((id, i) => new LastSeen(id, TestUsers.Noon.AddSeconds(i)))]);

        foreach (var i in new[] { 0, 2_500, 4_999 }) Assert.Equal(TestUsers.Noon.AddSeconds(i), (await _users.FindAsync(ids[i]))!.LastSeenAt);
        Assert.Equal(5_000L, await stores.ExecuteAsync($"SELECT count(*) FROM users WHERE name = '{ids[0]}' AND last_seen IS NOT NULL"));
    }

    [Fact]
    public async Task SaveLastSeen_OverlappingBatchesInOppositeOrder_BothSucceed()
    {
        var ids = await InsertManyAsync(300);
        for (var round = 0; round < 20; round++)
        {
            var at = TestUsers.Noon.AddMinutes(round);
            LastSeen[] forward = [.. ids.Select(id => new LastSeen(id, at))];
            LastSeen[] backward = [.. ids.Reverse().Select(id => new LastSeen(id, at.AddSeconds(1)))];

            await Task.WhenAll(Task.Run(() => _users.SaveAsync(forward)), Task.Run(() => _users.SaveAsync(backward)));

            foreach (var id in ids.Take(3)) Assert.Equal(at.AddSeconds(1), (await _users.FindAsync(id))!.LastSeenAt);
        }
    }

    [Fact]
    public async Task Insert_RowThatTheSchemaForbids_ThrowsWithoutDriverException()
    {
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => _users.InsertAsync(TestUsers.New() with { Name = "" }, account: null));

        Assert.Null(exception.InnerException);
    }

    [Fact]
    public async Task Find_CancelledByTheCaller_Throws()
    {
        using var gaveUp = new CancellationTokenSource();
        await gaveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _users.FindAsync(Guid.NewGuid(), gaveUp.Token));
    }

    private static ExternalAccount NewAccount() => new() { Provider = "test", ProviderAccountId = Guid.NewGuid().ToString(), Type = "oidc" };

    /// <summary>Inserts users in one statement, all with one name that is unique to the calling test.</summary>
    private async Task<Guid[]> InsertManyAsync(int count)
    {
        var ids = Enumerable.Range(0, count).Select(_ => Guid.NewGuid()).ToArray();
        await stores.ExecuteAsync(
            "INSERT INTO users (id, email, name) VALUES " + string.Join(',', ids.Select(id => $"('{id}', '{id:N}@example.com', '{ids[0]}')")));
        return ids;
    }

    [Fact]
    public async Task Erase_DeletesOnlyTheUsersRows_AndLeavesTombstones()
    {
        var (user, other) = (TestUsers.New(), TestUsers.New());
        var account = new ExternalAccount { Provider = "https://issuer.test", ProviderAccountId = $"{user.Id}", Type = "token" };
        await _users.InsertAsync(user, account);
        await _users.InsertAsync(other, new() { Provider = "email", ProviderAccountId = other.Email, Type = "email" });
        foreach (var row in new[] { user, other })
        {
            await stores.Sessions.InsertAsync(
                new(Guid.CreateVersion7(), row.Id, [.. row.Id.ToByteArray(), .. row.Id.ToByteArray()], TestUsers.Noon, TestUsers.Noon, TestUsers.Noon, null, null), []);
            await stores.Tokens.AddAsync(new(row.Email, [.. row.Id.ToByteArray(), .. row.Id.ToByteArray()], TestUsers.Noon), atMost: 5, TestUsers.Noon.AddDays(-1));
        }

        var mark = AccountTombstone.IdOf(new(account.Provider, account.ProviderAccountId));
        await _users.EraseAsync(user.Id, [mark], [user.Email], TestUsers.Noon);
        await _users.EraseAsync(user.Id, [mark], [user.Email], TestUsers.Noon);

        Assert.Equal((null, TestUsers.Noon), await _users.FindWithTombstoneAsync(user.Id));
        Assert.Equal(TestUsers.Noon, await _users.FindTombstoneAsync(mark));
        Assert.Null(await _users.FindTombstoneAsync(other.Id));
        Assert.Null(await stores.Accounts.FindAsync(account.Provider, account.ProviderAccountId));
        Assert.Empty(await stores.Sessions.ListAsync(user.Id));
        Assert.Null(await stores.Tokens.FindAsync([.. user.Id.ToByteArray(), .. user.Id.ToByteArray()]));
        Assert.Equal(other, await _users.FindAsync(other.Id));
        Assert.Single(await stores.Accounts.ListAsync(other.Id));
        Assert.Single(await stores.Sessions.ListAsync(other.Id));
        Assert.NotNull(await stores.Tokens.FindAsync([.. other.Id.ToByteArray(), .. other.Id.ToByteArray()]));
    }

    [Fact]
    public async Task Insert_OfAnErasedId_WritesNothing_OnAnyPath()
    {
        var user = TestUsers.New();
        await _users.InsertAsync(user, account: null);
        await _users.EraseAsync(user.Id, [], [], TestUsers.Noon);

        Assert.Equal(UserWrite.Stale, await _users.InsertAsync(user, account: null));
        Assert.Equal(UserWrite.Stale, await _users.InsertAsync(user, new() { Provider = "one", ProviderAccountId = $"{user.Id}", Type = "oidc" }));
        Assert.Equal((null, UserWrite.Stale), await _users.FindOrInsertAsync(user));
        var beside = TestUsers.New();
        Assert.Equal([UserWrite.Stale, UserWrite.Saved], (await Task.WhenAll(_users.FindOrInsertAsync(user), _users.FindOrInsertAsync(beside))).Select(outcome => outcome.Insert));
        Assert.Null(await _users.FindAsync(user.Id));
        Assert.Null(await stores.Accounts.FindAsync("one", $"{user.Id}"));
    }

    [Fact]
    public async Task Disable_KeepsItsFirstTime_StopsSessions_AndEnds()
    {
        var user = TestUsers.New();
        await _users.InsertAsync(user, account: null);
        var session = new SessionRow(
            Guid.CreateVersion7(), user.Id, [.. user.Id.ToByteArray(), .. user.Id.ToByteArray()], TestUsers.Noon, TestUsers.Noon, TestUsers.Noon, null, null);
        Assert.True(await stores.Sessions.InsertAsync(session, []));

        Assert.True(await _users.SetDisabledAsync(user.Id, TestUsers.Noon));
        Assert.True(await _users.SetDisabledAsync(user.Id, TestUsers.Noon.AddDays(1)));

        Assert.Equal(user with { DisabledAt = TestUsers.Noon }, await _users.FindAsync(user.Id));
        Assert.Empty(await stores.Sessions.ListAsync(user.Id));
        Assert.False(await stores.Sessions.InsertAsync(session with { Id = Guid.CreateVersion7(), TokenHash = [.. Guid.NewGuid().ToByteArray(), .. Guid.NewGuid().ToByteArray()] }, []));

        Assert.True(await _users.SetDisabledAsync(user.Id, null));
        Assert.Equal(user, await _users.FindAsync(user.Id));
        Assert.False(await _users.SetDisabledAsync(Guid.CreateVersion7(), TestUsers.Noon));
    }

    [Fact]
    public async Task Lists_FindUsersByIdAndByAddress_TheProvenOneFirst()
    {
        var email = TestUsers.New().Email;
        var unproven = TestUsers.New(email) with { Id = Guid.CreateVersion7(TestUsers.Noon.AddYears(-20)), EmailVerified = false };
        var proven = TestUsers.New(email) with { Id = Guid.CreateVersion7(TestUsers.Noon.AddYears(-10)) };
        await _users.InsertAsync(unproven, account: null);
        await _users.InsertAsync(proven, account: null);

        Assert.Equal([proven, unproven], await _users.FindByEmailAsync(email, 10));
        Assert.Equal([proven], await _users.FindByEmailAsync(email, 1));
        var all = new List<Guid>();
        for (var after = Guid.Empty; (await _users.ListAfterAsync(after, 3)).Select(row => row.Id).ToList() is { Count: > 0 } page; after = page[^1]) all.AddRange(page);
        Assert.Equal(all.Distinct().OrderBy(id => id.ToString(), StringComparer.Ordinal), all);
        Assert.Contains(proven.Id, all);
        Assert.Contains(unproven.Id, all);
    }
}
