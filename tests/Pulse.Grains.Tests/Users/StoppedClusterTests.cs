using Pulse.Grains.Storage;
using Pulse.Presence;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>The data that a regularly stopped cluster leaves in the database.</summary>
public sealed class StoppedClusterTests : IAsyncLifetime
{
    private readonly PatientCluster _cluster = new();
    private readonly Guid _id = Guid.CreateVersion7();

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task SiloShutdown_WritesLastSeenOfClosedConnections()
    {
        var user = _cluster.Client.GetGrain<IUserGrain>(_id);
        await user.SyncProfileAsync(new() { Email = $"{_id:N}@stops.test", Name = "Ada" });
        var lease = new ConnectionLease { ConnectionId = $"{_id:N}-a", FrontEndId = "front-end", SeenAt = TimeProvider.System.GetUtcNow() };
        await user.ConnectAsync(lease, _cluster.FrontEnd);
        var sentAwayAt = TimeProvider.System.GetUtcNow();
        await user.DisconnectAsync(lease with { SeenAt = sentAwayAt }, ConnectionEnd.Dropped);
        // As if the silo had died before.
        await _cluster.WriteLastSeenAsync(_id, sentAwayAt.AddDays(-1));

        await _cluster.Cluster.StopAllSilosAsync();

        Assert.Equal(Instant.Truncate(sentAwayAt), await _cluster.StoredLastSeenAsync(_id));
    }
}
