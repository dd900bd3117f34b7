using System.Diagnostics;
using Pulse.Grains.Tests.Users;
using Pulse.Grains.Users;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

/// <summary>The answers to callers, and their delay, while another process locks the SQLite file.</summary>
[Collection(TimedTests.Name)]
public sealed class SqliteOutageTests(SqliteStores stores) : IClassFixture<SqliteStores>
{
    [Fact]
    public async Task FileLocked_WritesFailWithinTwoSecondsThenRecover()
    {
        var user = TestUsers.New();
        await stores.Users.InsertAsync(user, account: null);
        await using (var other = await stores.Database.DataSource.OpenConnectionAsync())
        await using (await other.BeginTransactionAsync())
        {
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(AssertUnavailableAsync)));

            // Readers are not affected.
            Assert.Equal(user, await stores.Users.FindAsync(user.Id));
            await stores.Database.PingAsync();
        }

        Assert.Equal(UserWrite.Saved, await stores.Users.InsertAsync(TestUsers.New(), account: null));
    }

    [Fact]
    public async Task NotADatabase_ThrowsUnavailable()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, new string('x', 4096));
        using (var services = stores.StartProcess(new() { SqlitePath = path }))
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => Pulse.Grains.StoresSetup.ApplyPulseSchemaAsync(services));
        }

        File.Delete(path);
    }

    private async Task AssertUnavailableAsync()
    {
        var started = Stopwatch.GetTimestamp();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => stores.Users.InsertAsync(TestUsers.New(), account: null));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5)); // 1.6 s and a reserve.
    }
}
