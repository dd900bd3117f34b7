using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Pulse.Grains.Presence;
using Pulse.Presence;
using Xunit;

namespace Pulse.Grains.Tests.Presence;

public sealed class ConnectionLeasesTests
{
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(10);
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ConnectionLeases _leases = new(s_duration);

    [Fact]
    public void End_OfOneOfTwo_KeepsTheUserOnline_OfTheSecondSetsOffline()
    {
        _leases.Renew(Lease("a", s_start), s_start);
        _leases.Renew(Lease("b", s_start), s_start);

        _leases.End("a", s_start, s_start, TimeSpan.Zero);
        Assert.True(_leases.IsOnline);
        _leases.End("b", s_start, s_start, TimeSpan.Zero);
        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Renew_AfterEnd_HasNoEffect()
    {
        _leases.Renew(Lease("a", s_start), s_start);
        _leases.End("a", s_start, s_start, TimeSpan.Zero);

        Assert.False(_leases.Renew(Lease("a", s_start), s_start.AddSeconds(1)));
        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Renew_ArrivingAfterTheEnd_MakesNoGhost()
    {
        _leases.End("a", s_start, s_start, s_grace);

        Assert.False(_leases.IsOnline);
        Assert.False(_leases.Renew(Lease("a", s_start), s_start));
        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Expire_SetsLastSeenToTheLatestActivity_NotToTheTimeOfExpiry()
    {
        _leases.Renew(Lease("a", s_start), s_start);
        _leases.Renew(Lease("b", s_start.AddSeconds(5)), s_start.AddSeconds(5));

        _leases.Expire(s_start.AddSeconds(300));
        Assert.False(_leases.IsOnline);
        Assert.Equal(s_start.AddSeconds(5), _leases.LastSeenAt);
        Assert.Equal(DateTimeOffset.MaxValue, _leases.NextDeadline);
    }

    [Fact]
    public void Renew_FrontEndClockAhead_LastSeenIsNeverInTheFuture()
    {
        _leases.Renew(Lease("a", s_start.AddHours(3)), s_start);
        _leases.Expire(s_start.AddMinutes(1));

        Assert.Equal(s_start, _leases.LastSeenAt);
    }

    [Fact]
    public void Drop_KeepsTheUserOnlineForTheGracePeriod_AndSetsLastSeenToTheDrop()
    {
        _leases.Renew(Lease("a", s_start), s_start);
        _leases.End("a", s_start.AddSeconds(1), s_start.AddSeconds(1), s_grace);

        _leases.Expire(s_start.AddSeconds(10.9));
        Assert.True(_leases.IsOnline);
        _leases.Expire(s_start.AddSeconds(11));
        Assert.False(_leases.IsOnline);
        Assert.Equal(s_start.AddSeconds(1), _leases.LastSeenAt);
    }

    [Fact]
    public void Close_AfterAReconnect_IsNotDelayedByTheEarlierDrop()
    {
        _leases.Renew(Lease("a", s_start), s_start);
        _leases.End("a", s_start, s_start, s_grace);
        _leases.Renew(Lease("b", s_start), s_start.AddSeconds(1));
        _leases.End("b", s_start.AddSeconds(2), s_start.AddSeconds(2), TimeSpan.Zero);

        Assert.False(_leases.IsOnline);
    }

    [Fact]
    public void Assume_LastsAsLongAsAsked_WhateverConnectsMeanwhile()
    {
        _leases.AssumeOnline(s_start, TimeSpan.FromSeconds(25), invisible: false);
        _leases.Renew(Lease("a", s_start), s_start);
        _leases.End("a", s_start.AddSeconds(1), s_start.AddSeconds(1), TimeSpan.Zero);

        _leases.Expire(s_start.AddSeconds(24.9));
        Assert.True(_leases.IsOnline);
        Assert.Equal(s_start.AddSeconds(25), _leases.NextDeadline);
        _leases.Expire(s_start.AddSeconds(25));
        Assert.False(_leases.IsOnline);
        Assert.Equal(s_start.AddSeconds(1), _leases.LastSeenAt);
    }

    [Fact]
    public void Renew_ReconnectWithSameStatus_KeepsMessageUntilClientSetsOne()
    {
        _leases.Renew(Lease("a", s_start) with { Status = PresenceStatus.Busy, Message = "In a meeting" }, s_start);
        _leases.Renew(Lease("b", s_start) with { Message = "Hello" }, s_start);
        _leases.End("a", s_start, s_start, s_grace);
        _leases.End("b", s_start, s_start, s_grace);

        _leases.Renew(Lease("c", s_start) with { Status = PresenceStatus.Busy }, s_start);
        Assert.Equal("In a meeting", Assert.Single(_leases.Live).Message);
        _leases.Renew(Lease("c", s_start) with { Status = PresenceStatus.Busy }, s_start);
        Assert.Null(Assert.Single(_leases.Live).Message);
    }

    [Theory]
    [InlineData(PresenceStatus.Busy, "Mine")]
    [InlineData(PresenceStatus.Online, null)]
    public void Renew_ReconnectWithOtherMessageOrStatus_KeepsItsOwn(PresenceStatus status, string? message)
    {
        _leases.Renew(Lease("a", s_start) with { Status = PresenceStatus.Busy, Message = "In a meeting" }, s_start);
        _leases.End("a", s_start, s_start, s_grace);

        _leases.Renew(Lease("b", s_start) with { Status = status, Message = message }, s_start);
        Assert.Equal(message, Assert.Single(_leases.Live).Message);
    }

    [Fact]
    public void Renew_BecomingInvisible_SetsLastSeen_WhateverEndsMeanwhile()
    {
        var hiddenAt = s_start.AddSeconds(1);
        _leases.Renew(Lease("a", s_start), s_start);
        _leases.Renew(Invisible("b", hiddenAt), hiddenAt);
        Assert.True(_leases.IsInvisible);
        Assert.Equal(hiddenAt, _leases.LastSeenAt);

        _leases.Renew(Invisible("b", s_start.AddSeconds(2)), s_start.AddSeconds(2));
        _leases.End("a", s_start.AddSeconds(3), s_start.AddSeconds(3), TimeSpan.Zero);
        _leases.Expire(s_start.AddMinutes(5));
        Assert.False(_leases.IsOnline);
        Assert.Equal(hiddenAt, _leases.LastSeenAt);
    }

    [Fact]
    public void Drop_OfAnInvisibleConnection_StaysInvisible_AndKeepsLastSeen()
    {
        _leases.Renew(Invisible("a", s_start), s_start);
        _leases.End("a", s_start.AddSeconds(1), s_start.AddSeconds(1), s_grace, wasInvisible: true);
        Assert.True(_leases.IsInvisible);

        _leases.Expire(s_start.AddSeconds(11));
        Assert.False(_leases.IsOnline);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void Assume_OnlyInvisibleConnections_KeepsLastSeen()
    {
        _leases.AssumeOnline(s_start, TimeSpan.FromSeconds(25), invisible: false);
        _leases.Renew(Invisible("a", s_start), s_start);

        _leases.Expire(s_start.AddMinutes(5));
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void End_AfterBecomingVisible_SetsLastSeen()
    {
        _leases.Renew(Invisible("a", s_start), s_start);
        _leases.Renew(Lease("a", s_start.AddSeconds(1)), s_start.AddSeconds(1));
        _leases.End("a", s_start.AddSeconds(2), s_start.AddSeconds(2), TimeSpan.Zero);

        Assert.Equal(s_start.AddSeconds(2), _leases.LastSeenAt);
    }

    [Fact]
    public void Drop_OfTwoDevices_VisibleDeviceReturnsFirst_KeepsTheUserInvisible()
    {
        _leases.Renew(Invisible("phone-1", s_start), s_start);
        _leases.Renew(Lease("laptop-1", s_start), s_start);
        _leases.End("phone-1", s_start, s_start, s_grace, wasInvisible: true);
        _leases.End("laptop-1", s_start, s_start, s_grace);

        _leases.Renew(Lease("laptop-2", s_start), s_start.AddSeconds(0.3));
        Assert.True(_leases.IsInvisible);

        _leases.Renew(Invisible("phone-2", s_start), s_start.AddSeconds(0.8));
        Assert.True(_leases.IsInvisible);
        _leases.Expire(s_start.AddSeconds(10));
        Assert.True(_leases.IsInvisible);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void Drop_OfInvisibleDevice_AnotherVisibleDeviceConnects_StaysInvisibleForTheGracePeriod()
    {
        _leases.Renew(Invisible("phone", s_start), s_start);
        _leases.End("phone", s_start, s_start, s_grace, wasInvisible: true);
        _leases.Renew(Lease("laptop", s_start), s_start.AddSeconds(1));

        _leases.Expire(s_start.AddSeconds(9.9));
        Assert.True(_leases.IsInvisible);
        _leases.Expire(s_start.AddSeconds(10));
        Assert.False(_leases.IsInvisible);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void Drop_OfBusyDevice_OnlineDeviceReturnsFirst_KeepsTheBusyDeviceShown()
    {
        _leases.Renew(Lease("phone-1", s_start) with { Status = PresenceStatus.Busy }, s_start);
        _leases.Renew(Lease("laptop-1", s_start), s_start);
        _leases.End("phone-1", s_start, s_start, s_grace);
        _leases.End("laptop-1", s_start, s_start, s_grace);

        _leases.Renew(Lease("laptop-2", s_start), s_start.AddSeconds(0.3));

        Assert.Contains(_leases.Shown, lease => lease.Status == PresenceStatus.Busy);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Connect_NamingThePreviousConnection_ReplacesItAndInheritsStatusAndMessage(bool dropped)
    {
        var busy = Lease("old", s_start) with { Status = PresenceStatus.Busy, Message = "In a meeting", StatusSetAt = s_start };
        _leases.Renew(busy, s_start);
        if (dropped) _leases.End("old", s_start, s_start, s_grace);

        var next = Lease("new", s_start.AddSeconds(1));
        _leases.Renew(next with { PreviousConnectionId = "old" }, s_start.AddSeconds(1));
        Assert.Equal(("new", PresenceStatus.Busy, "In a meeting"), Only());

        // The front end repeats that the client has chosen no status on this connection.
        _leases.Renew(next with { SeenAt = s_start.AddSeconds(2) }, s_start.AddSeconds(2));
        Assert.Equal(("new", PresenceStatus.Busy, "In a meeting"), Only());
        Assert.False(_leases.Renew(busy, s_start.AddSeconds(3)), "the replaced connection came back");

        (string, PresenceStatus, string?) Only() => Assert.Single(_leases.Shown) is var lease ? (lease.ConnectionId, lease.Status, lease.Message) : default;
    }

    [Fact]
    public void Connect_NamingThePreviousInvisibleConnection_WithAStatusOfItsOwn_EndsInvisibility()
    {
        _leases.Renew(Invisible("old", s_start), s_start);
        _leases.End("old", s_start, s_start, s_grace, wasInvisible: true);

        _leases.Renew(Lease("new", s_start) with { PreviousConnectionId = "old", StatusSetAt = s_start.AddSeconds(1) }, s_start.AddSeconds(1));

        Assert.False(_leases.IsInvisible);
    }

    [Fact]
    public void AssumeOnline_Invisible_VisibleDeviceRenewedFirst_StaysInvisibleForALease()
    {
        _leases.AssumeOnline(s_start, TimeSpan.FromSeconds(25), invisible: true);
        _leases.Renew(Lease("laptop", s_start), s_start);
        Assert.True(_leases.IsInvisible);

        _leases.Renew(Lease("laptop", s_start.AddSeconds(39)), s_start.AddSeconds(39));
        _leases.Expire(s_start.AddSeconds(39.9));
        Assert.True(_leases.IsInvisible);
        _leases.Expire(s_start + s_duration);
        Assert.False(_leases.IsInvisible);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void AssumeOnline_Invisible_EndsByExpiryOnly_WhichWaitsAfterAPauseOfTheSilo()
    {
        _leases.AssumeOnline(s_start, TimeSpan.FromSeconds(25), invisible: true);

        _leases.Renew(Lease("laptop", s_start.AddSeconds(60)), s_start.AddSeconds(60));

        Assert.True(_leases.IsInvisible);
    }

    [Fact]
    public void AssumeOnline_Invisible_NoDeviceRenewed_KeepsLastSeen()
    {
        _leases.AssumeOnline(s_start, TimeSpan.FromSeconds(25), invisible: true);

        _leases.Expire(s_start.AddSeconds(25));
        Assert.False(_leases.IsOnline);
        Assert.Null(_leases.LastSeenAt);
    }

    [Fact]
    public void Renew_FrontEndClockAhead_LaterOfTwoReorderedRenewalsCounts()
    {
        var ahead = s_start.AddSeconds(30);
        _leases.Renew(Lease("a", ahead), s_start);
        _leases.Renew(Invisible("a", ahead.AddSeconds(2)), s_start.AddSeconds(2));
        _leases.Renew(Lease("a", ahead.AddSeconds(1)), s_start.AddSeconds(2.5));

        Assert.True(_leases.IsInvisible);
    }

    [Theory]
    [InlineData(-3_600)]
    [InlineData(3_600)]
    public void Renew_FrontEndWithAnotherClock_InactivityUsesThatClock(int seconds)
    {
        var theirs = s_start.AddSeconds(seconds);
        _leases.Renew(Lease("a", theirs) with { ActiveAt = theirs.AddMinutes(-2) }, s_start);

        Assert.Equal(s_start.AddMinutes(-2), Assert.Single(_leases.Live).ActiveAt);
    }

    /// <summary>
    /// Any interleaving of beginnings, renewals, drops, closes and silences, late and repeated ones included, against the definition.
    /// </summary>
    [Property(MaxTest = 1_000, Arbitrary = [typeof(Histories)])]
    public void AnyHistory_AgreesWithTheDefinition(Message[] history)
    {
        // A separate instance, because one instance of this class runs all histories.
        var leases = new ConnectionLeases(s_duration);
        var model = new Model();
        var now = s_start;
        foreach (var message in history)
        {
            now += message.Pause;
            leases.Expire(now);
            if (message.Kind == Kind.Renew) leases.Renew(Lease(message.ConnectionId, now - message.Delay), now);
            else leases.End(message.ConnectionId, now - message.Delay, now, message.Kind == Kind.Drop ? s_grace : TimeSpan.Zero);
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
                if (wasLive && message.Kind == Kind.Drop) _graces.Add(now + s_grace);
                _heard[message.ConnectionId] = (null, now);
            }
            else if (endedAt is null || now >= endedAt + s_duration)
            {
                _graces.RemoveAll(until => until <= now);
                if (!wasLive && _graces.Count > 0) _graces.RemoveAt(_graces.Count - 1);
                _heard[message.ConnectionId] = (now, null);
            }
        }

        private bool IsLive(string id, DateTimeOffset now) => _heard.TryGetValue(id, out var heard) && heard.RenewedAt is { } at && at + s_duration > now;
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
