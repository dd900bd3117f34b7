namespace Pulse.Cluster.Tests;

/// <summary>One cluster and one fleet for all tests of this assembly.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    internal LocalCluster Cluster { get; private set; } = null!;

    internal Fleet Fleet { get; private set; } = null!;

    internal Checker Checker { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync();
        Fleet = new(Cluster);
        Checker = new(Cluster, Fleet);
        await Fleet.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (Fleet is not null) await Fleet.StopAsync();
        if (Cluster is not null) await Cluster.DisposeAsync();
    }
}
