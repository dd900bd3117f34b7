using Pulse.Grains.Storage;
using Pulse.Presence;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>
/// Like <see cref="UserGrainTests"/>, with leases of seconds, so that tests can wait for their expiry. All asserted states are lasting.
/// </summary>
public sealed class UserGrainDeadlineTests(PulseCluster cluster) : IClassFixture<PulseCluster>
{
    private readonly Guid _id = Guid.CreateVersion7();

    private IUserGrain User => cluster.Client.GetGrain<IUserGrain>(_id);

    [Fact]
    public async Task NoRenewal_ExpiresTheLease_AndSetsLastSeenToTheLatestActivity()
    {
        await SyncAsync();
        var lease = Lease("a");
        await User.ConnectAsync(lease, cluster.FrontEnd);

        await Eventually.AsyncEqual(PresenceStatus.Offline, async () => (await User.GetPresenceAsync()).Status);
        await Eventually.AsyncEqual(Microseconds(lease.SeenAt), () => cluster.StoredLastSeenAsync(_id));
        Assert.False(await cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
    }

    [Fact]
    public async Task LostKey_OfAConnectedUser_IsRestored()
    {
        using var beating = cluster.KeepRenewing(_id, Lease("a"));
        await Eventually.AsyncEqual(true, () => cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));

        await cluster.Redis.KeyDeleteAsync(PulseCluster.Key(_id));

        await Eventually.AsyncEqual(true, () => cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
    }

    [Fact]
    public async Task Drop_WithoutReconnect_SetsOfflineAfterTheGracePeriod_AndLastSeenToTheDrop()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        var dropped = Lease("a");
        await User.DisconnectAsync(dropped, ConnectionEnd.Dropped);

        await Eventually.AsyncEqual(PresenceStatus.Offline, async () => (await User.GetPresenceAsync()).Status);
        await Eventually.AsyncEqual(Microseconds(dropped.SeenAt), () => cluster.StoredLastSeenAsync(_id));
    }

    [Fact]
    public async Task Disconnect_UnknownToANewActivation_SetsOfflineAfterTakeoverWindow()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        await cluster.Cluster.DeactivateAsync(User);

        var ended = Lease("a");
        await User.DisconnectAsync(ended, ConnectionEnd.Closed);

        await Eventually.AsyncEqual(false, () => cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
        await Eventually.AsyncEqual(Microseconds(ended.SeenAt), () => cluster.StoredLastSeenAsync(_id));
    }

    private Task<ProfileSyncResult> SyncAsync() => User.SyncProfileAsync(Update());

    private ProfileUpdate Update() => new() { Email = $"{_id:N}@users.test", Name = "Ada" };

    private ConnectionLease Lease(string name) =>
        new() { ConnectionId = $"{_id:N}-{name}", FrontEndId = "front-end", SeenAt = TimeProvider.System.GetUtcNow(), ActiveAt = TimeProvider.System.GetUtcNow() };

    private static DateTimeOffset Microseconds(DateTimeOffset at) => Instant.Truncate(at);
}
