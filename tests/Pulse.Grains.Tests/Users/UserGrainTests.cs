using System.Diagnostics;
using Pulse.Identity;
using Pulse.Presence;
using Pulse.Silo;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>Two silos, real PostgreSQL, real Redis; deadlines that no test reaches. Those that are waited for are <see cref="UserGrainDeadlineTests"/>.</summary>
public sealed class UserGrainTests(PatientCluster cluster) : IClassFixture<PatientCluster>
{
    private readonly Guid _id = Guid.CreateVersion7();

    private IUserGrain User => cluster.Client.GetGrain<IUserGrain>(_id);

    [Fact]
    public async Task Connect_First_SetsTheKeyWithItsTtl()
    {
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);

        Assert.Equal("true", await cluster.Redis.StringGetAsync(PulseCluster.Key(_id)));
        var ttl = await cluster.Redis.KeyTimeToLiveAsync(PulseCluster.Key(_id));
        Assert.InRange(ttl!.Value, TimeSpan.FromTicks(1), PatientCluster.PatientTimeToLive);
        Assert.Equal(PresenceStatus.Online, (await User.GetPresenceAsync()).Status);
    }

    [Fact]
    public async Task Disconnect_OfTheFirstOfTwo_KeepsTheUserOnline_OfTheSecond_WritesLastSeen()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        await User.ConnectAsync(Lease("b"), cluster.FrontEnd);

        await User.DisconnectAsync(Lease("a"), ConnectionEnd.Closed);
        Assert.True(await cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
        Assert.Null((await User.GetProfileAsync())!.LastSeenAt);

        var ended = Lease("b");
        await User.DisconnectAsync(ended, ConnectionEnd.Closed);
        Assert.False(await cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
        Assert.Equal(Microseconds(ended.SeenAt), await cluster.StoredLastSeenAsync(_id));
        Assert.Equal(PresenceStatus.Offline, (await User.GetPresenceAsync()).Status);
    }

    [Fact]
    public async Task Connect_ThatArrivesAfterItsDisconnect_LeavesTheUserOffline()
    {
        await User.DisconnectAsync(Lease("a"), ConnectionEnd.Closed);
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);

        Assert.Equal(PresenceStatus.Offline, (await User.GetPresenceAsync()).Status);
        Assert.False(await cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
    }

    [Fact]
    public async Task Deactivation_WithALiveLease_TouchesNeitherKeyNorLastSeen()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);

        await cluster.Cluster.DeactivateAsync(User);
        Assert.True(await cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
        Assert.Null(await cluster.StoredLastSeenAsync(_id));

        await User.RenewAsync([Lease("a")], cluster.FrontEnd);
        Assert.Equal(PresenceStatus.Online, (await User.GetPresenceAsync()).Status);
    }

    [Fact]
    public async Task Deactivation_WithinTheGracePeriod_SavesWhenTheConnectionDropped()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        var dropped = Lease("a");
        await User.DisconnectAsync(dropped, ConnectionEnd.Dropped);

        // Nobody sees the grace period end: whoever came back would be renewed elsewhere.
        await cluster.Cluster.DeactivateAsync(User);

        await Eventually.AsyncEqual(Microseconds(dropped.SeenAt), () => cluster.StoredLastSeenAsync(_id));
    }

    [Fact]
    public async Task Disconnect_UnknownToANewActivation_StillWritesLastSeen()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        await cluster.Cluster.DeactivateAsync(User);

        var ended = Lease("a");
        await User.DisconnectAsync(ended, ConnectionEnd.Closed);

        Assert.Equal(Microseconds(ended.SeenAt), await cluster.StoredLastSeenAsync(_id));

        // Offline only later: other connections may not have been renewed here yet.
        Assert.True((await User.GetPresenceAsync()) is { Status: PresenceStatus.Online, IsProvisional: true });
    }

    [Fact]
    public async Task Drop_OfTheOnlyConnection_IsNotSeen_WhenTheUserIsBackWithinTheGracePeriod()
    {
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        var before = await User.WatchAsync(cluster.FrontEnd, 0);

        await User.DisconnectAsync(Lease("a"), ConnectionEnd.Dropped);
        Assert.Equal(PresenceStatus.Online, (await User.GetPresenceAsync()).Status);
        Assert.True(await cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));

        await User.ConnectAsync(Lease("b"), cluster.FrontEnd);
        Assert.Equal(before, await User.GetPresenceAsync());
    }

    [Theory]
    [InlineData(PresenceStatus.Busy)]
    [InlineData(PresenceStatus.Invisible)]
    public async Task Drop_KeepsTheStatusForTheGracePeriod(PresenceStatus status)
    {
        var lease = Lease("a") with { Status = status, Message = "In a meeting" };
        await User.ConnectAsync(lease, cluster.FrontEnd);
        var before = await User.WatchAsync(cluster.FrontEnd, 0);

        await User.DisconnectAsync(lease, ConnectionEnd.Dropped);

        Assert.Equal(before, await User.GetPresenceAsync());
    }

    [Fact]
    public async Task Connect_AfterADrop_WithTheSameStatus_ShowsTheSameWords_UntilTheClientSaysItsOwn()
    {
        var busy = Lease("a") with { Status = PresenceStatus.Busy, Message = "In a meeting" };
        await User.ConnectAsync(busy, cluster.FrontEnd);
        var before = await User.WatchAsync(cluster.FrontEnd, 0);
        await User.DisconnectAsync(busy, ConnectionEnd.Dropped);

        await User.ConnectAsync(Lease("b") with { Status = PresenceStatus.Busy }, cluster.FrontEnd);
        Assert.Equal(before, await User.GetPresenceAsync());

        await User.RenewAsync([Lease("b") with { Status = PresenceStatus.Busy }], cluster.FrontEnd);
        Assert.Null((await User.GetPresenceAsync()).Message);
        Assert.Single(cluster.Told.ChangesOf(_id));
    }

    [Fact]
    public async Task Watch_IsToldOfEveryChangeInOrder()
    {
        await User.WatchAsync(cluster.FrontEnd, 0);
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        await User.RenewAsync([Lease("a") with { Status = PresenceStatus.Busy, Message = "In a meeting" }], cluster.FrontEnd);
        await User.DisconnectAsync(Lease("a"), ConnectionEnd.Closed);

        await Eventually.AsyncEqual(3, () => Task.FromResult(cluster.Told.ChangesOf(_id).Length));
        var told = cluster.Told.ChangesOf(_id);
        Assert.Equal([PresenceStatus.Online, PresenceStatus.Busy, PresenceStatus.Offline], told.Select(change => change.Status));
        Assert.Equal([null, "In a meeting", null], told.Select(change => change.Message));
        Assert.Equal(told.Select(change => change.Version).Distinct().Order(), told.Select(change => change.Version));
    }

    [Fact]
    public async Task Watch_AfterTheGrainMoved_IsNeverOlderThanWhatTheWatcherKnows()
    {
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        var before = await User.WatchAsync(cluster.FrontEnd, 0);
        await cluster.Cluster.DeactivateAsync(User);

        var after = await User.WatchAsync(cluster.FrontEnd, before.Version + 1_000_000);
        Assert.Equal(PresenceStatus.Online, after.Status);
        Assert.True(after.IsProvisional);
        Assert.True(after.Version > before.Version + 1_000_000);
    }

    [Fact]
    public async Task Invisible_LooksOfflineToOthers_AndKeepsTheKey()
    {
        await User.ConnectAsync(Lease("a") with { Status = PresenceStatus.Invisible, Message = "Hidden" }, cluster.FrontEnd);

        var presence = await User.GetPresenceAsync();
        Assert.Equal(PresenceStatus.Offline, presence.Status);
        Assert.Equal(PresenceStatus.Invisible, presence.OwnStatus);
        Assert.Null(presence.Message);
        Assert.True(await cluster.Redis.KeyExistsAsync(PulseCluster.Key(_id)));
    }

    [Fact]
    public async Task Hiding_LooksLikeLeaving_AndNothingAfterItIsSeen()
    {
        await SyncAsync();
        await User.WatchAsync(cluster.FrontEnd, 0);
        await User.ConnectAsync(Lease("a"), cluster.FrontEnd);
        var hiding = Lease("a") with { Status = PresenceStatus.Invisible };
        await User.RenewAsync([hiding], cluster.FrontEnd);
        var hidden = Microseconds(hiding.SeenAt);
        Assert.Equal(hidden, await cluster.StoredLastSeenAsync(_id));

        // Renewed, away for a moment, back, gone for good: all of it hidden.
        await User.RenewAsync([Lease("a") with { Status = PresenceStatus.Invisible }], cluster.FrontEnd);
        await User.DisconnectAsync(Lease("a") with { Status = PresenceStatus.Invisible }, ConnectionEnd.Dropped);
        await User.ConnectAsync(Lease("b") with { Status = PresenceStatus.Invisible }, cluster.FrontEnd);
        await User.DisconnectAsync(Lease("b") with { Status = PresenceStatus.Invisible }, ConnectionEnd.Closed);

        var left = await User.GetPresenceAsync();
        Assert.Equal((PresenceStatus.Offline, PresenceStatus.Offline, hidden), (left.Status, left.OwnStatus, left.LastSeenAt));
        Assert.Equal(hidden, await cluster.StoredLastSeenAsync(_id));
        await Eventually.AsyncEqual(3, () => Task.FromResult(cluster.Told.ChangesOf(_id).Length));
        Assert.Equal([PresenceStatus.Online, PresenceStatus.Offline, PresenceStatus.Offline], cluster.Told.ChangesOf(_id).Select(change => change.Status));
        Assert.Equal([null, hidden, hidden], cluster.Told.ChangesOf(_id).Select(change => change.LastSeenAt));
        Assert.Single(cluster.Told.ChangesOf(_id)[1..].Select(change => change.VersionForOthers).Distinct());
    }

    [Fact]
    public async Task Leaving_Invisible_ByANewActivation_MovesNoLastSeen()
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a") with { Status = PresenceStatus.Invisible }, cluster.FrontEnd);
        await cluster.Cluster.DeactivateAsync(User);

        await User.DisconnectAsync(Lease("a") with { Status = PresenceStatus.Invisible }, ConnectionEnd.Closed);

        Assert.Null(await cluster.StoredLastSeenAsync(_id));
        Assert.Null((await User.GetPresenceAsync()).LastSeenAt);
    }

    [Fact]
    public async Task Connect_PastTheLimit_ClosesTheOldest()
    {
        foreach (var name in new[] { "b", "a", "c", "d" }) await User.ConnectAsync(Lease(name) with { ConnectedAt = cluster.Started.AddSeconds(name[0]) }, cluster.FrontEnd);

        await Eventually.AsyncEqual(1, () => Task.FromResult(cluster.Told.ClosedOf(_id).Length));
        Assert.Equal(($"{_id:N}-a", CloseReason.TooManyConnections), cluster.Told.ClosedOf(_id)[0]);
    }

    [Fact]
    public async Task CloseSession_ClosesItsConnectionsAndNoOthers()
    {
        var session = Guid.NewGuid();
        await User.ConnectAsync(Lease("a") with { SessionId = session }, cluster.FrontEnd);
        await User.ConnectAsync(Lease("b") with { SessionId = Guid.NewGuid() }, cluster.FrontEnd);
        await User.ConnectAsync(Lease("c"), cluster.FrontEnd);

        await User.CloseSessionsAsync([session]);
        Assert.Equal([($"{_id:N}-a", CloseReason.SignedOut)], cluster.Told.ClosedOf(_id));
    }

    [Fact]
    public async Task Connect_WithASessionThatHasJustEnded_IsClosed()
    {
        var session = Guid.NewGuid();
        await User.CloseSessionsAsync([session]);
        await User.ConnectAsync(Lease("a") with { SessionId = session }, cluster.FrontEnd);

        Assert.Equal([($"{_id:N}-a", CloseReason.SignedOut)], cluster.Told.ClosedOf(_id));
    }

    [Fact]
    public async Task CloseSession_WithAFrontEndThatIsGone_ClosesTheOthersAndHoldsUpNobody()
    {
        var gone = new UnansweringFrontEnd();
        var reference = cluster.Client.CreateObjectReference<IFrontEndObserver>(gone);
        var session = Guid.NewGuid();
        await User.ConnectAsync(Lease("a") with { FrontEndId = "gone", SessionId = session }, reference);
        await User.ConnectAsync(Lease("b") with { SessionId = session }, cluster.FrontEnd);

        // The call to the one that is gone takes 10 s. Three in turn must not come near to one of them.
        var started = Stopwatch.GetTimestamp();
        await User.CloseSessionsAsync([session]);
        Assert.Equal([($"{_id:N}-b", CloseReason.SignedOut)], cluster.Told.ClosedOf(_id));
        await User.ConnectAsync(Lease("c"), cluster.FrontEnd);
        await User.RenewAsync([Lease("c")], cluster.FrontEnd);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, PulseSilo.ResponseTimeout - TimeSpan.FromSeconds(1));

        // Nobody but the front end that holds them is asked again.
        Assert.Equal(1, gone.Asked);
        GC.KeepAlive(gone);
    }

    [Fact]
    public async Task LastSeen_NeverGoesBack()
    {
        await SyncAsync();
        var late = Lease("a");
        await User.DisconnectAsync(late, ConnectionEnd.Closed);
        await User.DisconnectAsync(Lease("b") with { SeenAt = late.SeenAt.AddHours(-1) }, ConnectionEnd.Closed);

        Assert.Equal(Microseconds(late.SeenAt), await cluster.StoredLastSeenAsync(_id));
        Assert.Equal(Microseconds(late.SeenAt), (await User.GetPresenceAsync()).LastSeenAt);
    }

    [Fact]
    public async Task LastSeen_OfAUserWithoutRow_IsInTheRowThatComesLater()
    {
        var lease = Lease("a");
        await User.ConnectAsync(lease, cluster.FrontEnd);
        await User.DisconnectAsync(lease, ConnectionEnd.Closed);

        await SyncAsync();

        Assert.Equal(Microseconds(lease.SeenAt), await cluster.StoredLastSeenAsync(_id));
    }

    [Fact]
    public async Task Sync_OneHundredAtOnce_CreatesOnce()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => User.SyncProfileAsync(Update())));

        Assert.Single(results, result => result.Outcome == ProfileSyncOutcome.Created);
        Assert.Equal(99, results.Count(result => result.Outcome == ProfileSyncOutcome.Updated));
    }

    [Fact]
    public async Task Sync_OfFiftyUsersWithOneEmail_LetsExactlyOneWin()
    {
        var email = $"{_id:N}@race.test";
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            cluster.Client.GetGrain<IUserGrain>(Guid.CreateVersion7()).SyncProfileAsync(new() { Email = email, Name = "Racer" })));

        Assert.Single(results, result => result.Outcome == ProfileSyncOutcome.Created);
        Assert.Equal(49, results.Count(result => result.Outcome == ProfileSyncOutcome.EmailTaken));
    }

    [Fact]
    public async Task Sync_WithoutEmail_OfANewUser_WritesNothing()
    {
        Assert.Equal(ProfileSyncOutcome.EmailMissing, (await User.SyncProfileAsync(new() { Name = "Nobody" })).Outcome);
        Assert.Null(await User.GetProfileAsync());
    }

    [Fact]
    public async Task Profile_OutlivesItsActivation()
    {
        var created = (await User.SyncProfileAsync(Update() with { Avatar = "https://pictures.test/1.png" })).Profile;
        await cluster.Cluster.DeactivateAsync(User);

        Assert.Equal(created, await User.GetProfileAsync());
    }

    [Fact]
    public async Task Account_SyncedByOneHundredAtOnce_IsOneUser()
    {
        var account = cluster.Client.GetGrain<IAccountGrain>(new AccountKey("https://issuer.test", _id.ToString()).ToString());
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => account.SyncProfileAsync(Update(), "token")));

        Assert.Single(results.Select(result => result.Profile!.Id).Distinct());
        Assert.Equal(results[0].Profile!.Id, await account.FindUserAsync());
    }

    [Fact]
    public async Task KeyRing_OutlivesItsActivation()
    {
        var ring = cluster.Client.GetGrain<IKeyRingGrain>(_id.ToString());
        await ring.AddKeyAsync("one", "<key id='1'/>");
        await ring.AddKeyAsync("two", "<key id='2'/>");
        await cluster.Cluster.DeactivateAsync(ring);

        Assert.Equal(["<key id='1'/>", "<key id='2'/>"], (await ring.GetKeysAsync()).Order());
    }

    private Task<ProfileSyncResult> SyncAsync() => User.SyncProfileAsync(Update());

    private ProfileUpdate Update() => new() { Email = $"{_id:N}@users.test", Name = "Ada" };

    private ConnectionLease Lease(string name) =>
        new() { ConnectionId = $"{_id:N}-{name}", FrontEndId = "front-end", SeenAt = TimeProvider.System.GetUtcNow(), ActiveAt = TimeProvider.System.GetUtcNow() };

    private static DateTimeOffset Microseconds(DateTimeOffset at) => Instant.Truncate(at);

    private sealed class UnansweringFrontEnd : IFrontEndObserver
    {
        private readonly TaskCompletionSource _never = new();

        public int Asked { get; private set; }

        public Task PresenceChanged(PresenceSnapshot presence) => Task.CompletedTask;

        public Task CloseConnectionsAsync(string[] connectionIds, CloseReason reason)
        {
            Asked++;
            return _never.Task;
        }
    }
}
