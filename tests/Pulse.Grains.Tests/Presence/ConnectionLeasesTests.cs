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
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ConnectionLeases _leases = new(Duration);

    [Fact]
    public void End_OfOneOfTwo_LeavesTheUserOnline_OfTheSecond_DoesNot()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.Renew(Lease("b", Start), Start);

        _leases.End("a", Start, Start, TimeSpan.Zero);
        Assert.True(_leases.IsOnline);
        _leases.End("b", Start, Start, TimeSpan.Zero);
        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Renew_AfterEnd_HasNoEffect()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.End("a", Start, Start, TimeSpan.Zero);

        Assert.False(_leases.Renew(Lease("a", Start), Start.AddSeconds(1)));
        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Renew_ThatArrivesAfterItsOwnEnd_NeverMakesAGhost()
    {
        _leases.End("a", Start, Start, Grace);

        Assert.False(_leases.IsOnline);
        Assert.False(_leases.Renew(Lease("a", Start), Start));
        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Expire_GoesByTheLatestSignOfLife_NotWhenItNoticed()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.Renew(Lease("b", Start.AddSeconds(5)), Start.AddSeconds(5));

        _leases.Expire(Start.AddSeconds(300));
        Assert.False(_leases.IsOnline);
        Assert.Equal(Start.AddSeconds(5), _leases.GoneAt);
        Assert.Equal(DateTimeOffset.MaxValue, _leases.NextDeadline);
    }

    [Fact]
    public void Renew_FromAFrontEndWhoseClockIsAhead_IsNeverSeenInTheFuture()
    {
        _leases.Renew(Lease("a", Start.AddHours(3)), Start);
        _leases.Expire(Start.AddMinutes(1));

        Assert.Equal(Start, _leases.GoneAt);
    }

    [Fact]
    public void Drop_KeepsTheUserOnlineForTheGracePeriod_AndTheDropIsWhenTheyWereSeen()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.End("a", Start.AddSeconds(1), Start.AddSeconds(1), Grace);

        _leases.Expire(Start.AddSeconds(10.9));
        Assert.True(_leases.IsOnline);
        _leases.Expire(Start.AddSeconds(11));
        Assert.False(_leases.IsOnline);
        Assert.Equal(Start.AddSeconds(1), _leases.GoneAt);
    }

    [Fact]
    public void Close_AfterAReconnect_IsNotHeldUpByTheEarlierDrop()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.End("a", Start, Start, Grace);
        _leases.Renew(Lease("b", Start), Start.AddSeconds(1));
        _leases.End("b", Start.AddSeconds(2), Start.AddSeconds(2), TimeSpan.Zero);

        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Assume_LastsAsLongAsAsked_WhoeverComesAndGoesMeanwhile()
    {
        _leases.Assume(Start, TimeSpan.FromSeconds(25));
        _leases.Renew(Lease("a", Start), Start);
        _leases.End("a", Start.AddSeconds(1), Start.AddSeconds(1), TimeSpan.Zero);

        _leases.Expire(Start.AddSeconds(24.9));
        Assert.True(_leases.IsOnline);
        Assert.Equal(Start.AddSeconds(25), _leases.NextDeadline);
        _leases.Expire(Start.AddSeconds(25));
        Assert.False(_leases.IsOnline);
        Assert.Equal(Start.AddSeconds(1), _leases.GoneAt);
    }

    [Fact]
    public void Renew_OfOneThatComesBack_TakesOverTheWordsOfTheSameStatus_ForOnce()
    {
        _leases.Renew(Lease("a", Start) with { Status = PresenceStatus.Busy, Message = "In a meeting" }, Start);
        _leases.Renew(Lease("b", Start) with { Message = "Hello" }, Start);
        _leases.End("a", Start, Start, Grace);
        _leases.End("b", Start, Start, Grace);

        _leases.Renew(Lease("c", Start) with { Status = PresenceStatus.Busy }, Start);
        Assert.Equal("In a meeting", Assert.Single(_leases.Live).Message);
        _leases.Renew(Lease("c", Start) with { Status = PresenceStatus.Busy }, Start);
        Assert.Null(Assert.Single(_leases.Live).Message);
    }

    [Theory]
    [InlineData(PresenceStatus.Busy, "Mine")]
    [InlineData(PresenceStatus.Online, null)]
    public void Renew_OfOneThatComesBack_WithOtherWordsOrStatus_KeepsItsOwn(PresenceStatus status, string? message)
    {
        _leases.Renew(Lease("a", Start) with { Status = PresenceStatus.Busy, Message = "In a meeting" }, Start);
        _leases.End("a", Start, Start, Grace);

        _leases.Renew(Lease("b", Start) with { Status = status, Message = message }, Start);
        Assert.Equal(message, Assert.Single(_leases.Live).Message);
    }

    [Fact]
    public void Renew_ThatHides_IsWhenTheUserWasSeen_WhateverEndsMeanwhile()
    {
        var hiddenAt = Start.AddSeconds(1);
        _leases.Renew(Lease("a", Start), Start);
        _leases.Renew(Hidden("b", hiddenAt), hiddenAt);
        Assert.True(_leases.IsHidden);
        Assert.Equal(hiddenAt, _leases.GoneAt);

        _leases.Renew(Hidden("b", Start.AddSeconds(2)), Start.AddSeconds(2));
        _leases.End("a", Start.AddSeconds(3), Start.AddSeconds(3), TimeSpan.Zero);
        _leases.Expire(Start.AddMinutes(5));
        Assert.False(_leases.IsOnline);
        Assert.Equal(hiddenAt, _leases.GoneAt);
    }

    [Fact]
    public void Drop_OfOneThatHides_StaysHidden_AndLeavesNoTrace()
    {
        _leases.Renew(Hidden("a", Start), Start);
        _leases.End("a", Start.AddSeconds(1), Start.AddSeconds(1), Grace, hid: true);
        Assert.True(_leases.IsHidden);

        _leases.Expire(Start.AddSeconds(11));
        Assert.False(_leases.IsOnline);
        Assert.Null(_leases.GoneAt);
    }

    [Fact]
    public void Assume_WithNobodyButWhoHides_LeavesNoTrace()
    {
        _leases.Assume(Start, TimeSpan.FromSeconds(25));
        _leases.Renew(Hidden("a", Start), Start);

        _leases.Expire(Start.AddMinutes(5));
        Assert.Null(_leases.GoneAt);
    }

    [Fact]
    public void End_OfOneThatNoLongerHides_IsWhenTheUserWasSeen()
    {
        _leases.Renew(Hidden("a", Start), Start);
        _leases.Renew(Lease("a", Start.AddSeconds(1)), Start.AddSeconds(1));
        _leases.End("a", Start.AddSeconds(2), Start.AddSeconds(2), TimeSpan.Zero);

        Assert.Equal(Start.AddSeconds(2), _leases.GoneAt);
    }

    /// <summary>Any interleaving of beginnings, renewals, drops, closes and silences, late and repeated ones included, against the definition.</summary>
    [Property(MaxTest = 1_000, Arbitrary = [typeof(Histories)])]
    public void AnyHistory_AgreesWithTheDefinition(Message[] history)
    {
        // Of its own: one instance of this class runs all histories.
        var leases = new ConnectionLeases(Duration);
        var model = new Model();
        var now = Start;
        foreach (var message in history)
        {
            now += message.Pause;
            leases.Expire(now);
            if (message.Kind == Kind.Renew) leases.Renew(Lease(message.ConnectionId, now - message.Delay), now);
            else leases.End(message.ConnectionId, now - message.Delay, now, message.Kind == Kind.Drop ? Grace : TimeSpan.Zero);
            model.Hear(message, now);

            Assert.Equal(model.LiveAt(now).Order(), leases.Live.Select(lease => lease.ConnectionId).Order());
            Assert.Equal(model.LiveAt(now).Any() || model.GraceUntil > now, leases.IsOnline);
            Assert.True(leases.NextDeadline > now, "something that has run out is still held");
        }
    }

    private static ConnectionLease Lease(string connectionId, DateTimeOffset seenAt) =>
        new() { ConnectionId = connectionId, FrontEndId = "front-end-of-" + connectionId, SeenAt = seenAt };

    private static ConnectionLease Hidden(string connectionId, DateTimeOffset seenAt) =>
        Lease(connectionId, seenAt) with { Status = PresenceStatus.Invisible };

    /// <summary>The definition, by times alone: renewed within the last duration and not ended, where an end forbids renewals for a duration.</summary>
    private sealed class Model
    {
        private readonly Dictionary<string, (DateTimeOffset? RenewedAt, DateTimeOffset? EndedAt)> _heard = [];

        public DateTimeOffset GraceUntil { get; private set; } = DateTimeOffset.MinValue;

        public IEnumerable<string> LiveAt(DateTimeOffset now) => _heard.Keys.Where(id => IsLive(id, now));

        public void Hear(Message message, DateTimeOffset now)
        {
            var (renewedAt, endedAt) = _heard.GetValueOrDefault(message.ConnectionId);
            var wasLive = IsLive(message.ConnectionId, now);
            if (message.Kind != Kind.Renew)
            {
                if (wasLive && message.Kind == Kind.Drop) GraceUntil = now + Grace;
                _heard[message.ConnectionId] = (null, now);
            }
            else if (endedAt is null || now >= endedAt + Duration)
            {
                if (!wasLive) GraceUntil = DateTimeOffset.MinValue;
                _heard[message.ConnectionId] = (now, null);
            }
        }

        private bool IsLive(string id, DateTimeOffset now) => _heard.TryGetValue(id, out var heard) && heard.RenewedAt is { } at && at + Duration > now;
    }

    public enum Kind
    {
        Renew,
        Close,
        Drop,
    }

    /// <summary>A message as the grain receives it: about which connection, how long after the one before, how old.</summary>
    public sealed record Message(string ConnectionId, Kind Kind, TimeSpan Pause, TimeSpan Delay);

    /// <summary>Few connections, so that messages about one collide; pauses around the lease's duration and the grace period.</summary>
    public static class Histories
    {
        public static Arbitrary<Message[]> History() => Gen.ArrayOf(
            from connection in Gen.Elements("a", "b", "c", "d")
            from kind in Gen.Frequency((4, Gen.Constant(Kind.Renew)), (1, Gen.Constant(Kind.Close)), (1, Gen.Constant(Kind.Drop)))
            from pause in Gen.Frequency((6, Gen.Choose(1, 9_000)), (1, Gen.Choose(9_500, 10_500)), (1, Gen.Choose(39_000, 41_000)), (1, Gen.Choose(1, 120_000)))
            from delay in Gen.Choose(0, 30_000)
            select new Message(connection, kind, TimeSpan.FromMilliseconds(pause), TimeSpan.FromMilliseconds(delay))).ToArbitrary();
    }
}
