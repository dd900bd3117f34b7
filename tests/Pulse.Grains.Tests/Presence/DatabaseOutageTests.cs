using System.Diagnostics;
using Npgsql;
using Pulse.Grains.Tests.Storage;
using Pulse.Presence;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Presence;

/// <summary>
/// A front end dies while the database does not answer. The users of other front ends keep their keys, and the users of the dead one go
/// offline in time.
/// </summary>
public sealed class DatabaseOutageTests(DatabaseOutageTests.OutageCluster cluster) : IClassFixture<DatabaseOutageTests.OutageCluster>
{
    // Leases of one silo that expire together take many rounds.
    private const int Ghosts = 600;
    private const int Live = 20;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FrontEndDies_DatabaseUnavailable_LiveUsersKeepTheirKeys(bool silent)
    {
        var ghosts = NewUsers(Ghosts);
        var live = NewUsers(Live);
        await Task.WhenAll(ghosts.Select(id => User(id).ConnectAsync(Lease(id), cluster.FrontEnd)));
        var renewing = Array.ConvertAll(live, id => cluster.KeepRenewing(id, Lease(id)));
        await WaitForKeysAsync(live);
        if (silent) cluster.Database.Silence();
        else cluster.Database.Cut();
        try
        {
            // Until the ghosts are offline, and for at least two lifetimes of a key.
            var clock = Stopwatch.StartNew();
            var bound = PulseCluster.TimeToLive * 5;
            while (clock.Elapsed < PulseCluster.TimeToLive * 2 || await CountKeysAsync(ghosts) > 0)
            {
                var keys = await CountKeysAsync(live);
                var failure = renewing.FirstOrDefault(one => one.Failure is not null)?.Failure;
                Assert.True(keys == Live, $"{keys} of {Live} connected users have a key. Renewals: {failure}");
                Assert.True(clock.Elapsed < bound, $"{await CountKeysAsync(ghosts)} of {Ghosts} users of the dead front end still have a key after {bound}.");
                await Task.Delay(50);
            }
        }
        finally
        {
            cluster.Database.Restore();
            foreach (var renewal in renewing) renewal.Dispose();
        }
    }

    private static Guid[] NewUsers(int count) => [.. Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7())];

    private IUserGrain User(Guid id) => cluster.Client.GetGrain<IUserGrain>(id);

    private static ConnectionLease Lease(Guid id) =>
        new() { ConnectionId = $"{id:N}-a", FrontEndId = "front-end", SeenAt = TimeProvider.System.GetUtcNow(), ActiveAt = TimeProvider.System.GetUtcNow() };

    private async Task<long> CountKeysAsync(Guid[] users) => await cluster.Redis.KeyExistsAsync([.. users.Select(PulseCluster.Key)]);

    private Task WaitForKeysAsync(Guid[] users) => Eventually.AsyncEqual<long>(users.Length, () => CountKeysAsync(users));

    /// <summary>Two silos whose database is behind a proxy that a test can cut or silence.</summary>
    public sealed class OutageCluster : PulseCluster
    {
        internal BrokenProxy Database { get; private set; } = null!;

        public override async Task DisposeAsync()
        {
            await base.DisposeAsync();
            await Database.DisposeAsync();
        }

        private protected override string Route(string connectionString)
        {
            var route = new NpgsqlConnectionStringBuilder(connectionString);
            Database = new((route.Host!, route.Port));
            (route.Host, route.Port) = ("127.0.0.1", Database.Port);
            return route.ConnectionString;
        }
    }
}
