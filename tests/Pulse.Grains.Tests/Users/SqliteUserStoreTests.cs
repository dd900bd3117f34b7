using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Users;

public sealed class SqliteUserStoreTests(SqliteStores stores) : UserStoreContract(stores), IClassFixture<SqliteStores>
{
    private readonly SqliteStores _stores = stores;

    [Fact]
    public async Task Insert_IdsAndTimes_AreStoredInTheirOneSpelling()
    {
        var user = TestUsers.New() with { CreatedAt = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero) };
        await _stores.Users.InsertAsync(user, account: null);

        Assert.Equal("2030-01-02T03:04:05.000000Z", await _stores.ExecuteAsync($"SELECT created_at FROM users WHERE id = '{user.Id:D}'"));
    }

    [Fact]
    public async Task Connections_EveryOne_SyncsFullyAndChecksForeignKeys()
    {
        Assert.Equal(2L, await _stores.ExecuteAsync("PRAGMA synchronous"));
        Assert.Equal(1L, await _stores.ExecuteAsync("PRAGMA foreign_keys"));
        Assert.Equal("wal", await _stores.ExecuteAsync("PRAGMA journal_mode"));
    }
}
