using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Pulse.Grains.Presence;
using Pulse.Presence;
using Xunit;

namespace Pulse.Grains.Tests.Presence;

public sealed class ConnectionLeasesTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(40);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ConnectionLeases _leases = new(Duration);

    [Fact]
    public void End_OfOneOfTwo_LeavesOne()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.Renew(Lease("b", Start), Start);

        Assert.True(_leases.End("a", Start));
        Assert.Equal(1, _leases.Count);
        Assert.True(_leases.End("b", Start));
        Assert.Equal(0, _leases.Count);
    }

    [Fact]
    public void Renew_AfterEnd_HasNoEffect()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.End("a", Start);

        Assert.False(_leases.Renew(Lease("a", Start), Start.AddSeconds(1)));
        Assert.Equal(0, _leases.Count);
    }

    [Fact]
    public void Renew_ThatArrivesAfterItsOwnEnd_NeverMakesAGhost()
    {
        Assert.False(_leases.End("a", Start));
        Assert.False(_leases.Renew(Lease("a", Start), Start));
        Assert.Equal(0, _leases.Count);
    }

    [Fact]
    public void Expire_TellsTheLatestSignOfLife_NotWhenItNoticed()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.Renew(Lease("b", Start.AddSeconds(5)), Start.AddSeconds(5));

        Assert.Null(_leases.Expire(Start.AddSeconds(39)));
        Assert.Equal(Start.AddSeconds(5), _leases.Expire(Start.AddSeconds(300)));
        Assert.Equal(0, _leases.Count);
        Assert.Equal(DateTimeOffset.MaxValue, _leases.NextExpiry);
    }

    [Fact]
    public void Renew_FromAFrontEndWhoseClockIsAhead_IsNeverSeenInTheFuture()
    {
        _leases.Renew(Lease("a", Start.AddHours(3)), Start);

        Assert.Equal(Start, _leases.Expire(Start.AddMinutes(1)));
    }

    /// <summary>Any interleaving of beginnings, renewals, ends and silences, late and repeated ones included, against the definition.</summary>
    [Property(MaxTest = 1_000, Arbitrary = [typeof(Histories)])]
    public void AnyHistory_AgreesWithTheDefinition(Message[] history)
    {
        // Of its own: one instance of this class runs all histories.
        var leases = new ConnectionLeases(Duration);
        var heard = new List<(Message Message, DateTimeOffset At)>();
        var now = Start;
        foreach (var message in history)
        {
            now += message.Pause;
            leases.Expire(now);
            heard.Add((message, now));
            if (message.Ends) leases.End(message.ConnectionId, now);
            else leases.Renew(Lease(message.ConnectionId, now - message.Delay), now);

            var live = heard.Select(entry => entry.Message.ConnectionId).Distinct().Where(id => IsLive(id, heard, now)).ToArray();
            Assert.Equal(live.Length, leases.Count);
            Assert.True(leases.NextExpiry > now, "a lease that has run out is still held");
        }
    }

    /// <summary>The definition: renewed within the last duration, by a message that no end of that connection, up to a duration earlier, forbids.</summary>
    private static bool IsLive(string connectionId, List<(Message Message, DateTimeOffset At)> heard, DateTimeOffset now)
    {
        var lastEnd = (DateTimeOffset?)null;
        var live = false;
        var renewedAt = DateTimeOffset.MinValue;
        foreach (var (message, at) in heard.Where(entry => entry.Message.ConnectionId == connectionId))
        {
            if (message.Ends) (lastEnd, live) = (at, false);
            else if (lastEnd is null || at >= lastEnd + Duration) (live, renewedAt) = (true, at);
        }

        return live && renewedAt + Duration > now;
    }

    private static ConnectionLease Lease(string connectionId, DateTimeOffset seenAt) =>
        new() { ConnectionId = connectionId, FrontEndId = "front-end-of-" + connectionId, SeenAt = seenAt };

    /// <summary>A message as the grain receives it: which connection, whether it ends it, how long after the one before, how old.</summary>
    public sealed record Message(string ConnectionId, bool Ends, TimeSpan Pause, TimeSpan Delay);

    /// <summary>Few connections, so that messages about one collide; pauses around the lease's duration.</summary>
    public static class Histories
    {
        public static Arbitrary<Message[]> History() => Gen.ArrayOf(
            from connection in Gen.Elements("a", "b", "c", "d")
            from ends in Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true)))
            from pause in Gen.Frequency((6, Gen.Choose(1, 9_000)), (1, Gen.Choose(39_000, 41_000)), (1, Gen.Choose(1, 120_000)))
            from delay in Gen.Choose(0, 30_000)
            select new Message(connection, ends, TimeSpan.FromMilliseconds(pause), TimeSpan.FromMilliseconds(delay))).ToArbitrary();
    }
}
