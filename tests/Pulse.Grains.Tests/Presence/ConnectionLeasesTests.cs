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
    public void End_OfOneOfTwo_KeepsTheUserOnline_OfTheSecondSetsOffline()
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
    public void Renew_ArrivingAfterTheEnd_MakesNoGhost()
    {
        _leases.End("a", Start, Start, Grace);

        Assert.False(_leases.IsOnline);
        Assert.False(_leases.Renew(Lease("a", Start), Start));
        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Expire_SetsLastSeenToTheLatestActivity_NotToTheTimeOfExpiry()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.Renew(Lease("b", Start.AddSeconds(5)), Start.AddSeconds(5));

        _leases.Expire(Start.AddSeconds(300));
        Assert.False(_leases.IsOnline);
        Assert.Equal(Start.AddSeconds(5), _leases.LastSeenAt);
        Assert.Equal(DateTimeOffset.MaxValue, _leases.NextDeadline);
    }

    [Fact]
    public void Renew_FrontEndClockAhead_LastSeenIsNeverInTheFuture()
    {
        _leases.Renew(Lease("a", Start.AddHours(3)), Start);
        _leases.Expire(Start.AddMinutes(1));

        Assert.Equal(Start, _leases.LastSeenAt);
    }

    [Fact]
    public void Drop_KeepsTheUserOnlineForTheGracePeriod_AndSetsLastSeenToTheDrop()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.End("a", Start.AddSeconds(1), Start.AddSeconds(1), Grace);

        _leases.Expire(Start.AddSeconds(10.9));
        Assert.True(_leases.IsOnline);
        _leases.Expire(Start.AddSeconds(11));
        Assert.False(_leases.IsOnline);
        Assert.Equal(Start.AddSeconds(1), _leases.LastSeenAt);
    }

    [Fact]
    public void Close_AfterAReconnect_IsNotDelayedByTheEarlierDrop()
    {
        _leases.Renew(Lease("a", Start), Start);
        _leases.End("a", Start, Start, Grace);
        _leases.Renew(Lease("b", Start), Start.AddSeconds(1));
        _leases.End("b", Start.AddSeconds(2), Start.AddSeconds(2), TimeSpan.Zero);

        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Assume_LastsAsLongAsAsked_WhateverConnectsMeanwhile()
    {
        _leases.AssumeOnline(Start, TimeSpan.FromSeconds(25), invisible: false);
        _leases.Renew(Lease("a", Start), Start);
        _leases.End("a", Start.AddSeconds(1), Start.AddSeconds(1), TimeSpan.Zero);

        _leases.Expire(Start.AddSeconds(24.9));
        Assert.True(_leases.IsOnline);
        Assert.Equal(Start.AddSeconds(25), _leases.NextDeadline);
        _leases.Expire(Start.AddSeconds(25));
        Assert.False(_leases.IsOnline);
        Assert.Equal(Start.AddSeconds(1), _leases.LastSeenAt);
    }

    [Fact]
    public void Renew_ReconnectWithSameStatus_KeepsMessageUntilClientSetsOne()
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
    public void Renew_ReconnectWithOtherMessageOrStatus_KeepsItsOwn(PresenceStatus status, string? message)
    {
        _leases.Renew(Lease("a", Start) with { Status = PresenceStatus.Busy, Message = "In a meeting" }, Start);
        _leases.End("a", Start, Start, Grace);

        _leases.Renew(Lease("b", Start) with { Status = status, Message = message }, Start);
        Assert.Equal(message, Assert.Single(_leases.Live).Message);
    }

    [Fact]
    public void Renew_BecomingInvisible_SetsLastSeen_WhateverEndsMeanwhile()
    {
        var hiddenAt = Start.AddSeconds(1);
        _leases.Renew(Lease("a", Start), Start);
        _leases.Renew(Invisible("b", hiddenAt), hiddenAt);
        Assert.True(_leases.IsInvisible);
        Assert.Equal(hiddenAt, _leases.LastSeenAt);

        _leases.Renew(Invisible("b", Start.AddSeconds(2)), Start.AddSeconds(2));
        _leases.End("a", Start.AddSeconds(3), Start.AddSeconds(3), TimeSpan.Zero);
        _leases.Expire(Start.AddMinutes(5));
        Assert.False(_leases.IsOnline);
        Assert.Equal(hiddenAt, _leases.LastSeenAt);
    }

    [Fact]
    public void Drop_OfAnInvisibleConnection_StaysInvisible_AndKeepsLastSeen()
    {
        _leases.Renew(Invisible("a", Start), Start);
        _leases.End("a", Start.AddSeconds(1), Start.AddSeconds(1), Grace, wasInvisible: true);
        Assert.True(_leases.IsInvisible);

        _leases.Expire(Start.AddSeconds(11));
        Assert.False(_leases.IsOnline);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void Assume_OnlyInvisibleConnections_KeepsLastSeen()
    {
        _leases.AssumeOnline(Start, TimeSpan.FromSeconds(25), invisible: false);
        _leases.Renew(Invisible("a", Start), Start);

        _leases.Expire(Start.AddMinutes(5));
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void End_AfterBecomingVisible_SetsLastSeen()
    {
        _leases.Renew(Invisible("a", Start), Start);
        _leases.Renew(Lease("a", Start.AddSeconds(1)), Start.AddSeconds(1));
        _leases.End("a", Start.AddSeconds(2), Start.AddSeconds(2), TimeSpan.Zero);

        Assert.Equal(Start.AddSeconds(2), _leases.LastSeenAt);
    }

    [Fact]
    public void Drop_OfTwoDevices_VisibleDeviceReturnsFirst_KeepsTheUserInvisible()
    {
        _leases.Renew(Invisible("phone-1", Start), Start);
        _leases.Renew(Lease("laptop-1", Start), Start);
        _leases.End("phone-1", Start, Start, Grace, wasInvisible: true);
        _leases.End("laptop-1", Start, Start, Grace);

        _leases.Renew(Lease("laptop-2", Start), Start.AddSeconds(0.3));
        Assert.True(_leases.IsInvisible);

        _leases.Renew(Invisible("phone-2", Start), Start.AddSeconds(0.8));
        Assert.True(_leases.IsInvisible);
        _leases.Expire(Start.AddSeconds(10));
        Assert.True(_leases.IsInvisible);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void Drop_OfInvisibleDevice_AnotherVisibleDeviceConnects_StaysInvisibleForTheGracePeriod()
    {
        _leases.Renew(Invisible("phone", Start), Start);
        _leases.End("phone", Start, Start, Grace, wasInvisible: true);
        _leases.Renew(Lease("laptop", Start), Start.AddSeconds(1));

        _leases.Expire(Start.AddSeconds(9.9));
        Assert.True(_leases.IsInvisible);
        _leases.Expire(Start.AddSeconds(10));
        Assert.False(_leases.IsInvisible);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void Drop_OfBusyDevice_OnlineDeviceReturnsFirst_KeepsTheBusyDeviceShown()
    {
        _leases.Renew(Lease("phone-1", Start) with { Status = PresenceStatus.Busy }, Start);
        _leases.Renew(Lease("laptop-1", Start), Start);
        _leases.End("phone-1", Start, Start, Grace);
        _leases.End("laptop-1", Start, Start, Grace);

        _leases.Renew(Lease("laptop-2", Start), Start.AddSeconds(0.3));

        Assert.Contains(_leases.Shown, lease => lease.Status == PresenceStatus.Busy);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Connect_NamingThePreviousConnection_ReplacesItAndInheritsStatusAndMessage(bool dropped)
    {
        var busy = Lease("old", Start) with { Status = PresenceStatus.Busy, Message = "In a meeting", StatusSetAt = Start };
        _leases.Renew(busy, Start);
        if (dropped) _leases.End("old", Start, Start, Grace);

        var next = Lease("new", Start.AddSeconds(1));
        _leases.Renew(next with { PreviousConnectionId = "old" }, Start.AddSeconds(1));
        Assert.Equal(("new", PresenceStatus.Busy, "In a meeting"), Only());

        // The front end repeats that the client has chosen no status on this connection.
        _leases.Renew(next with { SeenAt = Start.AddSeconds(2) }, Start.AddSeconds(2));
        Assert.Equal(("new", PresenceStatus.Busy, "In a meeting"), Only());
        Assert.False(_leases.Renew(busy, Start.AddSeconds(3)), "the replaced connection came back");

        (string, PresenceStatus, string?) Only() => Assert.Single(_leases.Shown) is var lease ? (lease.ConnectionId, lease.Status, lease.Message) : default;
    }

    [Fact]
    public void Connect_NamingThePreviousInvisibleConnection_WithAStatusOfItsOwn_EndsInvisibility()
    {
        _leases.Renew(Invisible("old", Start), Start);
        _leases.End("old", Start, Start, Grace, wasInvisible: true);

        _leases.Renew(Lease("new", Start) with { PreviousConnectionId = "old", StatusSetAt = Start.AddSeconds(1) }, Start.AddSeconds(1));

        Assert.False(_leases.IsInvisible);
    }

    [Fact]
    public void AssumeOnline_Invisible_VisibleDeviceRenewedFirst_StaysInvisibleForALease()
    {
        _leases.AssumeOnline(Start, TimeSpan.FromSeconds(25), invisible: true);
        _leases.Renew(Lease("laptop", Start), Start);
        Assert.True(_leases.IsInvisible);

        _leases.Renew(Lease("laptop", Start.AddSeconds(39)), Start.AddSeconds(39));
        _leases.Expire(Start.AddSeconds(39.9));
        Assert.True(_leases.IsInvisible);
        _leases.Expire(Start + Duration);
        Assert.False(_leases.IsInvisible);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void AssumeOnline_Invisible_NoDeviceRenewed_KeepsLastSeen()
    {
        _leases.AssumeOnline(Start, TimeSpan.FromSeconds(25), invisible: true);

        _leases.Expire(Start.AddSeconds(25));
        Assert.False(_leases.IsOnline);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void Renew_FrontEndClockAhead_LaterOfTwoReorderedRenewalsCounts()
    {
        var ahead = Start.AddSeconds(30);
        _leases.Renew(Lease("a", ahead), Start);
        _leases.Renew(Invisible("a", ahead.AddSeconds(2)), Start.AddSeconds(2));
        _leases.Renew(Lease("a", ahead.AddSeconds(1)), Start.AddSeconds(2.5));

        Assert.True(_leases.IsInvisible);
    }

    [Theory]
    [InlineData(-3_600)]
    [InlineData(3_600)]
    public void Renew_FrontEndWithAnotherClock_InactivityUsesThatClock(int seconds)
    {
        var theirs = Start.AddSeconds(seconds);
        _leases.Renew(Lease("a", theirs) with { ActiveAt = theirs.AddMinutes(-2) }, Start);

        Assert.Equal(Start.AddMinutes(-2), Assert.Single(_leases.Live).ActiveAt);
    }

    /// <summary>
    /// Any interleaving of beginnings, renewals, drops, closes and silences, late and repeated ones included, against the definition.
    /// </summary>
    [Property(MaxTest = 1_000, Arbitrary = [typeof(Histories)])]
    public void AnyHistory_AgreesWithTheDefinition(Message[] history)
    {
        // A separate instance, because one instance of this class runs all histories.
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
            Assert.Equal(model.LiveAt(now).Any() || model.IsGraceRunning(now), leases.IsOnline);
            Assert.True(leases.NextDeadline > now, "something that has run out is still held");
        }
    }

    private static ConnectionLease Lease(string connectionId, DateTimeOffset seenAt) =>
        new() { ConnectionId = connectionId, FrontEndId = "front-end-of-" + connectionId, SeenAt = seenAt };

    private static ConnectionLease Invisible(string connectionId, DateTimeOffset seenAt) =>
        Lease(connectionId, seenAt) with { Status = PresenceStatus.Invisible };

    /// <summary>
    /// The definition, by times only: renewed within the last duration and not ended, where an end forbids renewals for a duration.
    /// </summary>
    private sealed class Model
    {
        private readonly Dictionary<string, (DateTimeOffset? RenewedAt, DateTimeOffset? EndedAt)> _heard = [];

        private readonly List<DateTimeOffset> _graces = [];

        public bool IsGraceRunning(DateTimeOffset now) => _graces.Exists(until => until > now);

        public IEnumerable<string> LiveAt(DateTimeOffset now) => _heard.Keys.Where(id => IsLive(id, now));

        public void Hear(Message message, DateTimeOffset now)
        {
            var (renewedAt, endedAt) = _heard.GetValueOrDefault(message.ConnectionId);
            var wasLive = IsLive(message.ConnectionId, now);
            if (message.Kind != Kind.Renew)
            {
                if (wasLive && message.Kind == Kind.Drop) _graces.Add(now + Grace);
                _heard[message.ConnectionId] = (null, now);
            }
            else if (endedAt is null || now >= endedAt + Duration)
            {
                _graces.RemoveAll(until => until <= now);
                if (!wasLive && _graces.Count > 0) _graces.RemoveAt(_graces.Count - 1);
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

    /// <summary>A message as the grain receives it: its connection, the time since the previous message, its age.</summary>
    public sealed record Message(string ConnectionId, Kind Kind, TimeSpan Pause, TimeSpan Delay);

    /// <summary>Few connections, so that messages about one collide, and pauses around the lease's duration and the grace period.</summary>
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
