using Pulse.Grains.Tests.Storage;
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

        await _stores.Users.SaveLastSeenAsync([new(user.Id, TestUsers.Noon)]);

        Assert.Equal(before, await _stores.ExecuteAsync($"SELECT ctid::text || xmin::text || xmax::text FROM users WHERE id = '{user.Id}'"));
    }

    [Fact]
    public async Task Insert_AfterConnectionsWereCut_IsAnsweredByTheSecondTry()
    {
        await _stores.ExecuteAsync("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _stores.Users.FindAsync(Guid.NewGuid())));

        // Ends its own connection too: whichever the next call takes from the pool, it is dead.
        await Assert.ThrowsAnyAsync<Exception>(() => _stores.ExecuteAsync("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"));

        Assert.Null(await _stores.Users.FindAsync(Guid.NewGuid()));
    }
}
