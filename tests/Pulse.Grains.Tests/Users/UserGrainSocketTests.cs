using System.Diagnostics;
using Pulse.Presence;
using Pulse.Silo;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>Which of a user's sockets the grain has closed.</summary>
[Collection(SharedPatientCluster.Name)]
public sealed class UserGrainSocketTests(PatientCluster cluster) : OneUser(cluster)
{
    [Fact]
    public async Task Connect_PastTheLimit_ClosesTheOldest()
    {
        foreach (var name in new[] { "b", "a", "c", "d" }) await User.ConnectAsync(Lease(name) with { ConnectedAt = Cluster.Started.AddSeconds(name[0]) }, Cluster.FrontEnd);

        await Cluster.Told.ClosesAsync(Id, 1);
        Assert.Equal(($"{Id:N}-a", CloseReason.TooManyConnections), Cluster.Told.ClosedOf(Id)[0]);
    }

    [Fact]
    public async Task CloseSession_ClosesItsConnectionsAndNoOthers()
    {
        var session = Guid.NewGuid();
        await User.ConnectAsync(Lease("a") with { SessionId = session }, Cluster.FrontEnd);
        await User.ConnectAsync(Lease("b") with { SessionId = Guid.NewGuid() }, Cluster.FrontEnd);
        await User.ConnectAsync(Lease("c"), Cluster.FrontEnd);

        await User.CloseSessionsAsync([session]);
        await Cluster.Told.ClosesAsync(Id, 1);
        Assert.Equal([($"{Id:N}-a", CloseReason.SignedOut)], Cluster.Told.ClosedOf(Id));
    }

    [Fact]
    public async Task Connect_WithASessionThatHasJustEnded_IsClosed()
    {
        var session = Guid.NewGuid();
        await User.CloseSessionsAsync([session]);
        await User.ConnectAsync(Lease("a") with { SessionId = session }, Cluster.FrontEnd);

        await Cluster.Told.ClosesAsync(Id, 1);
        Assert.Equal([($"{Id:N}-a", CloseReason.SignedOut)], Cluster.Told.ClosedOf(Id));
    }

    [Fact]
    public async Task CloseSession_WithADeadFrontEnd_ClosesTheOtherSocketsWithoutDelay()
    {
        var gone = new UnansweringFrontEnd();
        var reference = Cluster.Client.CreateObjectReference<IFrontEndObserver>(gone);
        var session = Guid.NewGuid();
        await User.ConnectAsync(Lease("a") with { FrontEndId = "gone", SessionId = session }, reference);
        await User.ConnectAsync(Lease("b") with { SessionId = session }, Cluster.FrontEnd);

        // The call to the dead front end takes 10 s. Three calls must take much less than one of these.
        var started = Stopwatch.GetTimestamp();
        await User.CloseSessionsAsync([session]);
        await Cluster.Told.ClosesAsync(Id, 1);
        Assert.Equal([($"{Id:N}-b", CloseReason.SignedOut)], Cluster.Told.ClosedOf(Id));
        await User.ConnectAsync(Lease("c"), Cluster.FrontEnd);
        await User.RenewAsync([Lease("c")], Cluster.FrontEnd);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, PulseSilo.ResponseTimeout - TimeSpan.FromSeconds(1));

        // Only the front end that holds them is asked again.
        Assert.Equal(1, gone.Asked);
        GC.KeepAlive(gone);
    }

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
