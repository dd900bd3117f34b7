using Pulse.Grains.Storage;
using Pulse.Presence;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>As <see cref="UserGrainTests"/>, with leases of seconds, so that silence can be waited for. Nothing here holds only for some seconds.</summary>
public sealed class UserGrainDeadlineTests(PulseCluster cluster) : IClassFixture<PulseCluster>
{
    private readonly Guid _id = Guid.CreateVersion7();

    private IUserGrain User => cluster.Client.GetGrain<IUserGrain>(_id);

    [Fact]
    public async Task Silence_EndsTheLease_AndLastSeenIsTheLastSignOfLife()
    {
        await SyncAsync();
        var lease = Lease("a");
        await User.ConnectAsync(lease, cluster.FrontEnd);

        await Eventually.AsyncEqual(PresenceStatus.Offline, async () => (await User.GetPresenceAsync()).Status);
        await Eventually.AsyncEqual(Microseconds(lease.SeenAt), () => cluster.StoredLastSeenAsync(_id));
        Assert.False(await cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
    }

    [Fact]
    public async Task LostKey_OfAConnectedUser_ComesBackByItself()
    {
        using var beating = cluster.KeepRenewing(_id, Lease("a"));
        await Eventually.AsyncEqual(true, () => cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));

        await cluster.Redis.KeyDeleteAsync(PulseCluster.Key(_id));

        await Eventually.AsyncEqual(true, () => cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
    }

    [Fact]
    public async Task Drop_WithoutReturn_IsOfflineAfterTheGracePeriod_SeenWhenItDropped()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        var dropped = Lease("a");
        await User.DisconnectAsync(dropped, ConnectionEnd.Dropped);

        await Eventually.AsyncEqual(PresenceStatus.Offline, async () => (await User.GetPresenceAsync()).Status);
        await Eventually.AsyncEqual(Microseconds(dropped.SeenAt), () => cluster.StoredLastSeenAsync(_id));
    }

    [Fact]
    public async Task Disconnect_UnknownToANewActivation_IsOfflineOnceAllMustHaveBeenHeardOf()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        await cluster.Cluster.DeactivateAsync(User);

        var ended = Lease("a");
        await User.DisconnectAsync(ended, ConnectionEnd.Closed);

        await Eventually.AsyncEqual(false, () => cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
        Assert.Equal(Microseconds(ended.SeenAt), await cluster.StoredLastSeenAsync(_id));
    }

    private Task<ProfileSyncResult> SyncAsync() => User.SyncProfileAsync(Update());

    private ProfileUpdate Update() => new() { Email = $"{_id:N}@users.test", Name = "Ada" };

    private ConnectionLease Lease(string name) =>
        new() { ConnectionId = $"{_id:N}-{name}", FrontEndId = "front-end", SeenAt = TimeProvider.System.GetUtcNow(), ActiveAt = TimeProvider.System.GetUtcNow() };

    private static DateTimeOffset Microseconds(DateTimeOffset at) => Instant.Truncate(at);
}
