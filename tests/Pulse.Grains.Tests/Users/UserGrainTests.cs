using Pulse.Grains.Storage;
using Pulse.Presence;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>
/// Two silos, real PostgreSQL, real Redis, and deadlines that no test reaches. Tests that wait for deadlines are in <see
/// cref="UserGrainDeadlineTests"/>.
/// </summary>
[Collection(SharedPatientCluster.Name)]
public sealed class UserGrainTests(PatientCluster cluster) : OneUser(cluster)
{
    [Fact]
    public async Task Connect_First_SetsTheKeyWithItsTtl()
    {
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);

        Assert.Equal("true", await Cluster.Redis.StringGetAsync(PulseCluster.Key(Id)));
        var ttl = await Cluster.Redis.KeyTimeToLiveAsync(PulseCluster.Key(Id));
        Assert.InRange(ttl!.Value, TimeSpan.FromTicks(1), PatientCluster.PatientTimeToLive);
        Assert.Equal(PresenceStatus.Online, (await User.GetPresenceAsync()).Status);
    }

    [Fact]
    public async Task Disconnect_OfTheFirstOfTwo_KeepsTheUserOnline_OfTheSecond_WritesLastSeen()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        await User.ConnectAsync(Lease("b"), Cluster.FrontEnd);

        await User.DisconnectAsync(Lease("a"), ConnectionEnd.Closed);
        Assert.True(await Cluster.Redis.KeyExistsAsync(PulseCluster.Key(Id)));
        Assert.Null((await User.GetProfileAsync())!.LastSeenAt);

        var ended = Lease("b");
        await User.DisconnectAsync(ended, ConnectionEnd.Closed);
        Assert.False(await Cluster.Redis.KeyExistsAsync(PulseCluster.Key(Id)));
        await LastSeenIsStoredAsync(ended.SeenAt);
        Assert.Equal(PresenceStatus.Offline, (await User.GetPresenceAsync()).Status);
    }

    [Fact]
    public async Task Connect_ThatArrivesAfterItsDisconnect_LeavesTheUserOffline()
    {
        await User.DisconnectAsync(Lease("a"), ConnectionEnd.Closed);
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);

        Assert.Equal(PresenceStatus.Offline, (await User.GetPresenceAsync()).Status);
        Assert.False(await Cluster.Redis.KeyExistsAsync(PulseCluster.Key(Id)));
    }

    [Fact]
    public async Task Deactivation_WithALiveLease_TouchesNeitherKeyNorLastSeen()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);

        await Cluster.Cluster.DeactivateAsync(User);
        Assert.True(await Cluster.Redis.KeyExistsAsync(PulseCluster.Key(Id)));
        Assert.Null(await Cluster.StoredLastSeenAsync(Id));

        await User.RenewAsync([Lease("a")], Cluster.FrontEnd);
        Assert.Equal(PresenceStatus.Online, (await User.GetPresenceAsync()).Status);
    }

    [Fact]
    public async Task Drop_SavesLastSeenBeforeItIsAnswered_BecauseNoOtherProcessRemembersIt()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        var dropped = Lease("a");

        await User.DisconnectAsync(dropped, ConnectionEnd.Dropped);

        Assert.Equal((PresenceStatus.Online, Instant.Truncate(dropped.SeenAt)), ((await User.GetPresenceAsync()).Status, await Cluster.StoredLastSeenAsync(Id)));
    }

    [Fact]
    public async Task Deactivation_WithinTheGracePeriod_SavesWhenTheConnectionDropped()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        var dropped = Lease("a");
        await User.DisconnectAsync(dropped, ConnectionEnd.Dropped);

        // The grain is deactivated before the grace period ends. A reconnecting device would be renewed elsewhere.
        await Cluster.Cluster.DeactivateAsync(User);

        await LastSeenIsStoredAsync(dropped.SeenAt);
    }

    [Fact]
    public async Task Disconnect_UnknownToANewActivation_StillWritesLastSeen()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        await Cluster.Cluster.DeactivateAsync(User);

        var ended = Lease("a");
        await User.DisconnectAsync(ended, ConnectionEnd.Closed);

        await LastSeenIsStoredAsync(ended.SeenAt);

        // Offline only later, because other connections may still be renewed here.
        Assert.True((await User.GetPresenceAsync()) is { Status: PresenceStatus.Online, IsProvisional: true });
    }

    [Fact]
    public async Task Drop_OfTheOnlyConnection_StaysUnnoticed_IfTheUserReconnectsWithinTheGracePeriod()
    {
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        var before = await User.WatchAsync(Cluster.FrontEnd, 0);

        await User.DisconnectAsync(Lease("a"), ConnectionEnd.Dropped);
        Assert.Equal(PresenceStatus.Online, (await User.GetPresenceAsync()).Status);
        Assert.True(await Cluster.Redis.KeyExistsAsync(PulseCluster.Key(Id)));

        await User.ConnectAsync(Lease("b"), Cluster.FrontEnd);
        Assert.Equal(before, await User.GetPresenceAsync());
    }

    [Theory]
    [InlineData(PresenceStatus.Busy)]
    [InlineData(PresenceStatus.Invisible)]
    public async Task Drop_KeepsTheStatusForTheGracePeriod(PresenceStatus status)
    {
        var lease = Lease("a") with { Status = status, Message = "In a meeting" };
        await User.ConnectAsync(lease, Cluster.FrontEnd);
        var before = await User.WatchAsync(Cluster.FrontEnd, 0);

        await User.DisconnectAsync(lease, ConnectionEnd.Dropped);

        Assert.Equal(before, await User.GetPresenceAsync());
    }

    [Fact]
    public async Task Connect_AfterADrop_WithTheSameStatus_KeepsTheMessage_UntilTheClientSetsOne()
    {
        var busy = Lease("a") with { Status = PresenceStatus.Busy, Message = "In a meeting" };
        await User.ConnectAsync(busy, Cluster.FrontEnd);
        var before = await User.WatchAsync(Cluster.FrontEnd, 0);
        await User.DisconnectAsync(busy, ConnectionEnd.Dropped);

        await User.ConnectAsync(Lease("b") with { Status = PresenceStatus.Busy }, Cluster.FrontEnd);
        Assert.Equal(before, await User.GetPresenceAsync());

        await User.RenewAsync([Lease("b") with { Status = PresenceStatus.Busy }], Cluster.FrontEnd);
        Assert.Null((await User.GetPresenceAsync()).Message);
        await Eventually.AsyncEqual(1, () => Task.FromResult(Cluster.Told.ChangesOf(Id).Length));
    }

    [Fact]
    public async Task Watch_ReceivesEveryChange_WithGrowingVersions()
    {
        await User.WatchAsync(Cluster.FrontEnd, 0);
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        await User.RenewAsync([Lease("a") with { Status = PresenceStatus.Busy, Message = "In a meeting" }], Cluster.FrontEnd);
        await User.DisconnectAsync(Lease("a"), ConnectionEnd.Closed);

        await Eventually.AsyncEqual(3, () => Task.FromResult(Cluster.Told.ChangesOf(Id).Length));

        // Orleans may deliver one-way messages out of order, so watchers use the version.
        var told = Cluster.Told.ChangesOf(Id).OrderBy(change => change.Version).ToArray();
        Assert.Equal([PresenceStatus.Online, PresenceStatus.Busy, PresenceStatus.Offline], told.Select(change => change.Status));
        Assert.Equal([null, "In a meeting", null], told.Select(change => change.Message));
        Assert.Distinct(told.Select(change => change.Version));
    }

    [Fact]
    public async Task Watch_AfterTheGrainMoved_IsNeverOlderThanTheWatchersState()
    {
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        var before = await User.WatchAsync(Cluster.FrontEnd, 0);
        await Cluster.Cluster.DeactivateAsync(User);

        var after = await User.WatchAsync(Cluster.FrontEnd, before.Version + 1_000_000);
        Assert.Equal(PresenceStatus.Online, after.Status);
        Assert.True(after.IsProvisional);
        Assert.True(after.Version > before.Version + 1_000_000);
    }

    [Fact]
    public async Task Invisible_LooksOfflineToOthers_AndKeepsTheKey()
    {
        await User.ConnectAsync(Lease("a") with { Status = PresenceStatus.Invisible, Message = "Hidden" }, Cluster.FrontEnd);

        var presence = await User.GetPresenceAsync();
        Assert.Equal(PresenceStatus.Offline, presence.Status);
        Assert.Equal(PresenceStatus.Invisible, presence.OwnStatus);
        Assert.Null(presence.Message);
        Assert.True(await Cluster.Redis.KeyExistsAsync(PulseCluster.Key(Id)));
    }

    [Fact]
    public async Task Invisible_HasAKeyOfItsOwn_UntilTheUserIsVisibleOrOffline()
    {
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        Assert.False(await Cluster.Redis.KeyExistsAsync(PulseCluster.InvisibleKey(Id)));

        await User.RenewAsync([Lease("a") with { Status = PresenceStatus.Invisible }], Cluster.FrontEnd);
        Assert.Equal("true", await Cluster.Redis.StringGetAsync(PulseCluster.InvisibleKey(Id)));
        Assert.NotNull(await Cluster.Redis.KeyTimeToLiveAsync(PulseCluster.InvisibleKey(Id)));

        await User.RenewAsync([Lease("a")], Cluster.FrontEnd);
        Assert.False(await Cluster.Redis.KeyExistsAsync(PulseCluster.InvisibleKey(Id)));

        await User.RenewAsync([Lease("a") with { Status = PresenceStatus.Invisible }], Cluster.FrontEnd);
        await User.DisconnectAsync(Lease("a") with { Status = PresenceStatus.Invisible }, ConnectionEnd.Closed);
        Assert.False(await Cluster.Redis.KeyExistsAsync(PulseCluster.InvisibleKey(Id)));
    }

    [Fact]
    public async Task Takeover_OfAnInvisibleUser_IsOfflineToEveryViewer()
    {
        await User.ConnectAsync(Lease("a") with { Status = PresenceStatus.Invisible }, Cluster.FrontEnd);
        await Cluster.Cluster.DeactivateAsync(User);

        var presence = await User.GetPresenceAsync();

        Assert.Equal((PresenceStatus.Offline, PresenceStatus.Invisible), (presence.Status, presence.OwnStatus));
    }

    [Fact]
    public async Task Takeover_VisibleDeviceRenewedFirst_SendsNothingButOffline_AndKeepsLastSeen()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("laptop"), Cluster.FrontEnd);
        await User.ConnectAsync(Lease("phone") with { Status = PresenceStatus.Invisible }, Cluster.FrontEnd);
        var before = await User.WatchAsync(Cluster.FrontEnd, 0);
        var sentBefore = Cluster.Told.ChangesOf(Id).Length;
        await Cluster.Cluster.DeactivateAsync(User);

        await User.WatchAsync(Cluster.FrontEnd, before.Version);
        await User.RenewAsync([Lease("laptop")], Cluster.FrontEnd);
        var between = await User.GetPresenceAsync();
        await User.RenewAsync([Lease("phone") with { Status = PresenceStatus.Invisible }], Cluster.FrontEnd);
        await User.DisconnectAsync(Lease("laptop"), ConnectionEnd.Closed);

        Assert.Equal(PresenceStatus.Offline, between.Status);
        Assert.All(Cluster.Told.ChangesOf(Id)[sentBefore..], change => Assert.Equal(PresenceStatus.Offline, change.Status));
        Assert.Equal(before.LastSeenAt, (await User.GetPresenceAsync()).LastSeenAt);
        Assert.Equal(before.LastSeenAt, await Cluster.StoredLastSeenAsync(Id));
    }

    [Fact]
    public async Task Connect_ReplacingALiveConnection_ClosesOnlyThatOne()
    {
        await User.ConnectAsync(Lease("old"), Cluster.FrontEnd);
        await User.ConnectAsync(Lease("tab"), Cluster.FrontEnd);

        await User.ConnectAsync(Lease("new") with { PreviousConnectionId = Lease("old").ConnectionId }, Cluster.FrontEnd);

        await Cluster.Told.ClosesAsync(Id, 1);
        Assert.Equal([(Lease("old").ConnectionId, CloseReason.Replaced)], Cluster.Told.ClosedOf(Id));
    }

    [Fact]
    public async Task BecomingInvisible_LooksLikeDisconnecting_AndLaterChangesAreHidden()
    {
        await SyncAsync();
        await User.WatchAsync(Cluster.FrontEnd, 0);
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        var hiding = Lease("a") with { Status = PresenceStatus.Invisible };
        await User.RenewAsync([hiding], Cluster.FrontEnd);
        var hidden = Microseconds(hiding.SeenAt);
        await LastSeenIsStoredAsync(hiding.SeenAt);

        // Renewed, away for a moment, back, disconnected: all of it invisible.
        await User.RenewAsync([Lease("a") with { Status = PresenceStatus.Invisible }], Cluster.FrontEnd);
        await User.DisconnectAsync(Lease("a") with { Status = PresenceStatus.Invisible }, ConnectionEnd.Dropped);
        await User.ConnectAsync(Lease("b") with { Status = PresenceStatus.Invisible }, Cluster.FrontEnd);
        await User.DisconnectAsync(Lease("b") with { Status = PresenceStatus.Invisible }, ConnectionEnd.Closed);

        var left = await User.GetPresenceAsync();
        Assert.Equal((PresenceStatus.Offline, PresenceStatus.Offline, hidden), (left.Status, left.OwnStatus, left.LastSeenAt));
        Assert.Equal(hidden, await Cluster.StoredLastSeenAsync(Id));
        await Eventually.AsyncEqual(3, () => Task.FromResult(Cluster.Told.ChangesOf(Id).Length));
        var told = Cluster.Told.ChangesOf(Id).OrderBy(change => change.Version).ToArray();
        Assert.Equal([PresenceStatus.Online, PresenceStatus.Offline, PresenceStatus.Offline], told.Select(change => change.Status));
        Assert.Equal([null, hidden, hidden], told.Select(change => change.LastSeenAt));
        Assert.Single(told[1..].Select(change => change.VersionForOthers).Distinct());
    }

    [Fact]
    public async Task Disconnect_WhileInvisible_ByANewActivation_KeepsLastSeen()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a") with { Status = PresenceStatus.Invisible }, Cluster.FrontEnd);
        await Cluster.Cluster.DeactivateAsync(User);

        await User.DisconnectAsync(Lease("a") with { Status = PresenceStatus.Invisible }, ConnectionEnd.Closed);

        Assert.Null(await Cluster.StoredLastSeenAsync(Id));
        Assert.Null((await User.GetPresenceAsync()).LastSeenAt);
    }

    [Fact]
    public async Task LastSeen_NeverGoesBack()
    {
        await SyncAsync();
        var late = Lease("a");
        await User.DisconnectAsync(late, ConnectionEnd.Closed);
        await LastSeenIsStoredAsync(late.SeenAt);
        await User.DisconnectAsync(Lease("b") with { SeenAt = late.SeenAt.AddHours(-1) }, ConnectionEnd.Closed);

        Assert.Equal(Microseconds(late.SeenAt), await Cluster.StoredLastSeenAsync(Id));
        Assert.Equal(Microseconds(late.SeenAt), (await User.GetPresenceAsync()).LastSeenAt);
    }

    [Fact]
    public async Task LastSeen_OfAUserWithoutRow_IsSavedWithTheLaterRow()
    {
        var lease = Lease("a");
        await User.ConnectAsync(lease, Cluster.FrontEnd);
        await User.DisconnectAsync(lease, ConnectionEnd.Closed);

        await SyncAsync();

        Assert.Equal(Microseconds(lease.SeenAt), await Cluster.StoredLastSeenAsync(Id));
    }

    // The grain waits half a second for the row. After that the value is written in the background.
    private Task LastSeenIsStoredAsync(DateTimeOffset at) => Eventually.AsyncEqual(Microseconds(at), () => Cluster.StoredLastSeenAsync(Id));

    private static DateTimeOffset Microseconds(DateTimeOffset at) => Instant.Truncate(at);
}
