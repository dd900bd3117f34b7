using Pulse.Presence;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Presence.Watching;

/// <summary>Two silos, real PostgreSQL, real Redis.</summary>
[Collection(SharedPatientCluster.Name)]
public sealed class WatchTableGrainTests(PatientCluster cluster)
{
    [Fact]
    public async Task TableOfEachSilo_LivesOnThatSilo()
    {
        var silos = await cluster.Client.GetGrain<IPresenceReaderGrain>(0).ListSilosAsync();
        Assert.Equal(cluster.Cluster.Silos.Select(silo => silo.SiloAddress.ToParsableString()).Order(), silos.Order());

        foreach (var silo in silos)
        {
            var table = cluster.Client.GetGrain<IWatchTableGrain>(silo);
            Assert.NotEqual(0, (await table.UpdateAsync("placement", cluster.FrontEnd, [], [], 0)).Generation);
            var activations = (await cluster.Client.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics()).Where(grain => grain.GrainId == table.GetGrainId());
            Assert.Equal(silo, Assert.Single(activations).SiloAddress.ToParsableString());
        }
    }

    [Fact]
    public async Task TableOfAStoppedSilo_CannotBeCalled()
    {
        var silo = cluster.Cluster.Silos[0].SiloAddress;
        var gone = SiloAddress.New(silo.Endpoint, silo.Generation - 1).ToParsableString();

        await Assert.ThrowsAnyAsync<Exception>(() => cluster.Client.GetGrain<IWatchTableGrain>(gone).ForgetAsync("placement"));
    }

    [Fact]
    public async Task UserInTheTablesOfAllSilos_IsNotified_WhereverTheGrainIs()
    {
        var users = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var silo in await cluster.Client.GetGrain<IPresenceReaderGrain>(0).ListSilosAsync())
        {
            await cluster.Client.GetGrain<IWatchTableGrain>(silo).UpdateAsync("all", cluster.FrontEnd, users, [], 0);
        }

        foreach (var user in users) await cluster.Client.GetGrain<IUserGrain>(user).ConnectAsync(Lease(user), cluster.FrontEnd);

        await Eventually.AsyncEqual(users.Length, () => Task.FromResult(users.Count(user => cluster.Told.ChangesOf(user) is [{ Status: PresenceStatus.Online }])));
    }

    private static ConnectionLease Lease(Guid userId)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new() { ConnectionId = $"{userId:N}-a", FrontEndId = "front end", SeenAt = now, ConnectedAt = now, ActiveAt = now, StatusSetAt = now };
    }
}
