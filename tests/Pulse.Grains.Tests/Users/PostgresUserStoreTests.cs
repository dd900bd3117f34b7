using System.Diagnostics;
using Npgsql;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

public sealed class PostgresUserStoreTests(PostgresStores stores) : UserStoreContract(stores), IClassFixture<PostgresStores>
{
    private readonly PostgresStores _stores = stores;

    [Fact]
    public async Task SaveLastSeen_NothingLater_WritesNoRow()
    {
        var user = TestUsers.New() with { LastSeenAt = TestUsers.Noon };
        await _stores.Users.InsertAsync(user, account: null);
        var before = await _stores.ExecuteAsync($"SELECT ctid::text || xmin::text || xmax::text FROM users WHERE id = '{user.Id}'");

        await _stores.Users.SaveAsync([new(user.Id, TestUsers.Noon)]);

        Assert.Equal(before, await _stores.ExecuteAsync($"SELECT ctid::text || xmin::text || xmax::text FROM users WHERE id = '{user.Id}'"));
    }

    [Fact]
    public async Task SaveLastSeen_OverlappingBatchesInOppositeOrder_NeverMeetInADeadlock()
    {
        var ids = Enumerable.Range(0, 2_000).Select(_ => Guid.NewGuid()).ToArray();
        await _stores.ExecuteAsync(
            "INSERT INTO users (id, email, name) VALUES " + string.Join(',', ids.Select(id => $"('{id}', '{id:N}@example.com', 'Batch')")));

        for (var round = 0; round < 20; round++)
        {
            var at = TestUsers.Noon.AddMinutes(round).UtcDateTime;
            await Task.WhenAll(Task.Run(() => SaveAsync(ids, at)), Task.Run(() => SaveAsync([.. ids.Reverse()], at.AddSeconds(1))));
        }

        // The statement without the store, which would retry.
        async Task SaveAsync(Guid[] users, DateTime at)
        {
            await using var connection = (NpgsqlConnection)await _stores.Database.DataSource.OpenConnectionAsync();
            await using var command = new NpgsqlCommand(PostgresUserStore.SaveLastSeenSql, connection) { CommandTimeout = 30 };
            command.Parameters.AddWithValue("ids", users);
            command.Parameters.AddWithValue("times", users.Select(_ => at).ToArray());
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task FindOrInsert_Concurrent_SharesTransactions()
    {
        await using var holder = (NpgsqlConnection)await _stores.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await using (var held = new NpgsqlCommand("LOCK TABLE users IN SHARE MODE", holder, transaction)) await held.ExecuteNonQueryAsync();
        var first = _stores.Users.FindOrInsertAsync(TestUsers.New());
        await Eventually.AsyncEqual<object?>(true, () => _stores.ExecuteAsync("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted)"));

        UserRow[] users = [.. Enumerable.Range(0, 30).Select(_ => TestUsers.New())];
        var others = users.Select(user => _stores.Users.FindOrInsertAsync(user)).ToArray();
        await transaction.RollbackAsync();
        await Task.WhenAll([first, .. others]);

        var ids = string.Join(',', users.Select(user => $"'{user.Id}'"));

        // One, as a rule. A shared statement that reaches its lock limit of 50 ms on a busy machine is split.
        Assert.InRange((long)(await _stores.ExecuteAsync($"SELECT count(DISTINCT xmin::text) FROM users WHERE id IN ({ids})"))!, 1, 3);
    }

    [Fact]
    public async Task Find_Concurrent_SharesStatements()
    {
        UserRow[] users = [.. Enumerable.Range(0, 30).Select(_ => TestUsers.New())];
        foreach (var user in users[..20]) await _stores.Users.InsertAsync(user, account: null);
        await _stores.Users.EraseAsync(users[0].Id, [], [], TestUsers.Noon);
        await using var holder = (NpgsqlConnection)await _stores.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await using (var held = new NpgsqlCommand("LOCK TABLE users IN ACCESS EXCLUSIVE MODE", holder, transaction)) await held.ExecuteNonQueryAsync();
        var first = _stores.Users.FindAsync(users[1].Id);
        await Eventually.AsyncEqual<object?>(true, () => _stores.ExecuteAsync("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted)"));

        var database = await _stores.ExecuteAsync("SELECT current_database()");
        var statements = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = statement =>
            {
                if (statement.TagObjects.Any(tag => Equals(tag.Value, database))) Interlocked.Increment(ref statements);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var others = users.Append(users[1]).Select(user => _stores.Users.FindWithTombstoneAsync(user.Id)).ToArray();
        await transaction.RollbackAsync();

        Assert.Equal(users[1], await first);
        var found = await Task.WhenAll(others);
        Assert.Equal([(null, TestUsers.Noon), .. users[1..20].Select(user => (user, (DateTimeOffset?)null)), .. Enumerable.Repeat<(UserRow?, DateTimeOffset?)>((null, null), 10), (users[1], null)], found);
        Assert.InRange(statements, 1, 2);
    }

    [Fact]
    public async Task FindOrInsert_OneOfManyIsRefused_TheOthersAreInserted()
    {
        var refused = TestUsers.New() with { Name = new('x', 201) };
        UserRow[] users = [.. Enumerable.Range(0, 30).Select(_ => TestUsers.New())];

        var others = users.Select(user => Task.Run(() => _stores.Users.FindOrInsertAsync(user))).ToArray();
        await Assert.ThrowsAsync<InvalidOperationException>(() => _stores.Users.FindOrInsertAsync(refused));

        Assert.All(await Task.WhenAll(others), answer => Assert.Equal((null, UserWrite.Saved), answer));
        Assert.Null(await _stores.Users.FindAsync(refused.Id));
    }

    [Fact]
    public async Task Find_PooledConnectionsWereEnded_SucceedsAtTheSecondAttempt()
    {
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _stores.Users.FindAsync(Guid.NewGuid())));
        await _stores.ExecuteAsync(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");

        await Task.WhenAll(Enumerable.Range(0, 5).Select(async _ => Assert.Null(await _stores.Users.FindAsync(Guid.NewGuid()))));
    }
}
