using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>
/// The rule of presence: a user is online while a lease is unexpired or a dropped connection is in its grace period. Pure logic without I/O
/// or a clock.
/// </summary>
/// <remarks>
/// Messages of several front ends may arrive late, twice, or in any order. A connection id is used once, so an ended connection stays
/// ended: its id is remembered as long as a message about it could still arrive.
///
/// An invisible user looks offline. lastSeen is then the moment of becoming invisible, and later disconnects leave it unchanged.
/// </remarks>
/// <param name="duration">Lifetime of a lease without a renewal.</param>
internal sealed class ConnectionLeases(TimeSpan duration)
{
    private readonly Dictionary<string, Held> _live = [];

    // Null until a connection ends: most users have one connection, and their grain is deactivated soon after it.
    private Dictionary<string, DateTimeOffset>? _ended;

    // Dropped connections whose clients may reconnect. Each has its own deadline, so that a reconnect leaves the grace periods of other
    // devices unchanged.
    private List<Dropped>? _dropped;
    private (DateTimeOffset At, DateTimeOffset Until)? _assumedOnline;
    private DateTimeOffset? _assumedInvisibleUntil;
    private bool _heard;

    /// <param name="Lease">The front end's latest message about the connection.</param>
    /// <param name="SaidAt">By the front end's own clock. Orders two messages of one connection.</param>
    /// <param name="ExpiresAt">By the silo's clock.</param>
    private readonly record struct Held(ConnectionLease Lease, DateTimeOffset SaidAt, DateTimeOffset ExpiresAt);

    private readonly record struct Dropped(ConnectionLease Lease, DateTimeOffset Until);

    /// <summary>Connections with a live lease.</summary>
    public int Count => _live.Count;

    /// <summary>Whether the user counts as connected.</summary>
    public bool IsOnline => _live.Count > 0 || _dropped is not null || IsAssumed;

    /// <summary>Whether connections may exist that front ends have yet to renew here. See <see cref="AssumeOnline"/>.</summary>
    public bool IsAssumed => _assumedOnline is not null;

    /// <summary>Whether the object is empty.</summary>
    public bool IsEmpty => !IsOnline && _ended is not { Count: > 0 } && _assumedInvisibleUntil is null;

    /// <summary>How many dropped connections were replaced within their grace period.</summary>
    public int GracePeriodsUsed { get; private set; }

    /// <summary>
    /// Time of the next change by <see cref="Expire"/>, unless a renewal comes first. <see cref="DateTimeOffset.MaxValue"/> if there is
    /// none.
    /// </summary>
    public DateTimeOffset NextDeadline { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>
    /// Whether any connection makes the user invisible. Counts live connections, dropped ones in their grace period, and assumed ones.
    /// </summary>
    public bool IsInvisible
    {
        get
        {
            if (_assumedInvisibleUntil is not null) return true;
            foreach (var held in _live.Values)
            {
                if (held.Lease.Status == PresenceStatus.Invisible) return true;
            }

            return _dropped is not null && _dropped.Exists(dropped => dropped.Lease.Status == PresenceStatus.Invisible);
        }
    }

    /// <summary>
    /// Candidate for lastSeen: the time at which the user became invisible, or the <see cref="ConnectionLease.SeenAt"/> of a visible
    /// connection that has ended. It applies once the last connection has ended, and while the user is invisible.
    /// </summary>
    public DateTimeOffset? LastSeenAt { get; private set; }

    /// <summary>When a live connection, or the dropped connection in its grace period, was last known to be live.</summary>
    public DateTimeOffset SeenAt { get; private set; }

    /// <summary>The live connections.</summary>
    public IEnumerable<ConnectionLease> Live => _live.Values.Select(held => held.Lease);

    /// <summary>Connections that determine the visible status: live ones and those in their grace period.</summary>
    public IEnumerable<ConnectionLease> Shown => _dropped is null ? Live : Live.Concat(_dropped.Select(dropped => dropped.Lease));

    /// <summary>The live connection of that id, if there is one.</summary>
    public ConnectionLease? Find(string connectionId) => _live.TryGetValue(connectionId, out var held) ? held.Lease : null;

    /// <summary>Time since a live connection's lease was taken or renewed. <see langword="null"/> for any other connection.</summary>
    public TimeSpan? SinceRenewal(string connectionId, DateTimeOffset now) =>
        _live.TryGetValue(connectionId, out var held) ? now - (held.ExpiresAt - duration) : null;

    /// <summary>Takes or extends a lease.</summary>
    /// <returns><see langword="false"/>, if the connection has already ended. The leases are then unchanged.</returns>
    public bool Renew(ConnectionLease lease, DateTimeOffset now)
    {
        if (_ended is not null && _ended.ContainsKey(lease.ConnectionId)) return false;

        var wasVisible = (_live.Count > 0 || _dropped is not null) && !IsInvisible;
        var known = _live.TryGetValue(lease.ConnectionId, out var held);
        var saidAt = lease.SeenAt;
        if (known && held.SaidAt > saidAt)
        {
            // If two renewals arrive in the wrong order, the later one by the front end's clock holds the client's choice.
            (lease, saidAt) = (held.Lease, held.SaidAt);
        }
        else
        {
            // Front ends' clocks may differ from the silo's. SeenAt is therefore capped at the silo's present time, and the client's
            // inactivity is computed as a difference of two times of the front end.
            var inactiveTicks = Math.Clamp((lease.SeenAt - lease.ActiveAt).Ticks, 0, TimeSpan.TicksPerDay);
            lease = lease with { SeenAt = lease.SeenAt < now ? lease.SeenAt : now, ActiveAt = now.AddTicks(-inactiveTicks) };
            if (known) lease = KeepInherited(lease, held.Lease);
            else if (Replace(lease, now) is { } replaced) lease = Inherit(lease, replaced);
        }

        _live[lease.ConnectionId] = new(lease, saidAt, now + duration);
        _heard = true;
        if (wasVisible && IsInvisible) RecordLastSeen(lease.SeenAt);
        FindNextDeadline();
        return true;
    }

    /// <summary>Ends a connection permanently, known or unknown.</summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="seenAt">Time of its end, or the last time at which it was known to be live.</param>
    /// <param name="now">The silo's clock.</param>
    /// <param name="grace">Time for which the user still counts as connected, in case the client reconnects. Zero if the user disconnected
    /// on purpose.</param>
    /// <param name="wasInvisible">Whether the connection made the user invisible. The caller states it because the connection may be
    /// unknown here.</param>
    public void End(string connectionId, DateTimeOffset seenAt, DateTimeOffset now, TimeSpan grace, bool wasInvisible = false)
    {
        ForgetEnded(now);
        (_ended ??= [])[connectionId] = now + duration;
        _heard = true;
        if (!wasInvisible && !IsInvisible) RecordLastSeen(seenAt < now ? seenAt : now);

        // An unknown connection gets no grace period: it may have ended long ago, and watchers may have been notified that the user is
        // offline.
        if (_live.Remove(connectionId, out var held) && grace > TimeSpan.Zero) (_dropped ??= []).Add(new(held.Lease, now + grace));
        FindNextDeadline();
    }

    /// <summary>Ends all connections, including dropped ones in their grace period and assumed ones.</summary>
    public void EndAll(DateTimeOffset now)
    {
        foreach (var lease in Live.ToList()) End(lease.ConnectionId, lease.SeenAt, now, TimeSpan.Zero, wasInvisible: IsInvisible);
        (_dropped, _assumedOnline, _assumedInvisibleUntil) = (null, null, null);
        FindNextDeadline();
    }

    /// <summary>
    /// Assumes that the user is connected until the window ends, because an earlier activation of the grain has left the user's key.
    /// Connections that begin and end meanwhile leave the window unchanged, because the other connections are still unknown.
    /// </summary>
    /// <param name="now">The silo's clock.</param>
    /// <param name="window">Time within which every front end renews.</param>
    /// <param name="invisible">
    /// Whether the earlier activation's user was invisible. The user then remains invisible for the duration of one lease, because the
    /// invisible device may be renewed after the others.
    /// </param>
    public void AssumeOnline(DateTimeOffset now, TimeSpan window, bool invisible)
    {
        _assumedOnline = (now, now + window);
        if (invisible) _assumedInvisibleUntil = now + duration;
        FindNextDeadline();
    }

    /// <summary>Removes leases, grace periods and assumptions that have expired at <paramref name="now"/>.</summary>
    /// <returns>The number of expired leases.</returns>
    public int Expire(DateTimeOffset now)
    {
        ForgetEnded(now);
        if (now < NextDeadline) return 0;

        var wasInvisible = IsInvisible;
        ExpireAssumedInvisible(now);
        if (_dropped is not null && _dropped.RemoveAll(dropped => dropped.Until <= now) > 0 && _dropped.Count == 0) _dropped = null;
        if (_assumedOnline is { } assumed && assumed.Until <= now)
        {
            _assumedOnline = null;

            // The connections of the earlier activation ended without a message, at the latest when this activation began.
            if (!_heard && !wasInvisible) RecordLastSeen(assumed.At);
        }

        var expired = 0;
        foreach (var (connectionId, held) in _live)
        {
            if (held.ExpiresAt > now) continue;
            _live.Remove(connectionId);
            expired++;
            if (!wasInvisible) RecordLastSeen(held.Lease.SeenAt);
        }

        FindNextDeadline();
        return expired;
    }

    /// <summary>Ends the connection that this one replaces.</summary>
    /// <returns>The replaced connection's lease, if it was known here.</returns>
    private ConnectionLease? Replace(ConnectionLease lease, DateTimeOffset now)
    {
        if (lease.PreviousConnectionId is { } previous && previous != lease.ConnectionId)
        {
            ForgetEnded(now);
            (_ended ??= [])[previous] = now + duration;
            if (_live.Remove(previous, out var held)) return held.Lease;
        }

        if (_dropped is null) return null;
        var index = FindDropped(lease);
        if (index < 0) return null;

        var replaced = _dropped[index].Lease;
        _dropped.RemoveAt(index);
        if (_dropped.Count == 0) _dropped = null;
        GracePeriodsUsed++;
        return replaced;
    }

    /// <summary>
    /// Finds the dropped connection that has reconnected: the one that the client names, otherwise the latest of the same status, otherwise
    /// the oldest visible one. A connection that made the user invisible is only replaced by name or by another invisible one, because the
    /// new connection may be another device.
    /// </summary>
    private int FindDropped(ConnectionLease lease)
    {
        if (lease.PreviousConnectionId is { } previous && _dropped!.FindIndex(dropped => dropped.Lease.ConnectionId == previous) is >= 0 and var named) return named;
        var sameWithMessage = _dropped!.FindLastIndex(dropped => dropped.Lease.Status == lease.Status && dropped.Lease.Message is not null);
        if (sameWithMessage >= 0) return sameWithMessage;
        var same = _dropped.FindLastIndex(dropped => dropped.Lease.Status == lease.Status);
        return same >= 0 ? same : _dropped.FindIndex(dropped => dropped.Lease.Status != PresenceStatus.Invisible);
    }

    // A reconnecting client sends its status in the URL and its message later. The old message is kept meanwhile, because watchers would
    // otherwise see it flicker. A client that names its former connection and has set no status since also keeps that connection's status.
    private static ConnectionLease Inherit(ConnectionLease lease, ConnectionLease replaced)
    {
        if (lease.StatusSetAt == default && replaced.ConnectionId == lease.PreviousConnectionId)
        {
            return lease with { Status = replaced.Status, Message = replaced.Message, StatusSetAt = replaced.StatusSetAt };
        }

        return lease.Message is null && replaced.Status == lease.Status ? lease with { Message = replaced.Message } : lease;
    }

    // The front end cannot know what its connection inherited, so each of its renewals repeats that the client has set no status.
    private static ConnectionLease KeepInherited(ConnectionLease lease, ConnectionLease held) =>
        lease.StatusSetAt == default && held.StatusSetAt != default
            ? lease with { Status = held.Status, Message = held.Message, StatusSetAt = held.StatusSetAt }
            : lease;

    private void RecordLastSeen(DateTimeOffset at)
    {
        if (LastSeenAt is null || LastSeenAt < at) LastSeenAt = at;
    }

    private void FindNextDeadline()
    {
        var next = DateTimeOffset.MaxValue;
        if (_assumedOnline is { } assumed) next = assumed.Until;
        if (_assumedInvisibleUntil < next) next = _assumedInvisibleUntil.Value;
        foreach (var dropped in _dropped ?? [])
        {
            if (dropped.Until < next) next = dropped.Until;
        }

        foreach (var held in _live.Values)
        {
            if (held.ExpiresAt < next) next = held.ExpiresAt;
            if (held.Lease.SeenAt > SeenAt) SeenAt = held.Lease.SeenAt;
        }

        NextDeadline = next;
    }

    private void ExpireAssumedInvisible(DateTimeOffset now)
    {
        if (_assumedInvisibleUntil <= now) _assumedInvisibleUntil = null;
    }

    private void ForgetEnded(DateTimeOffset now)
    {
        if (_ended is null) return;
        foreach (var (connectionId, until) in _ended)
        {
            if (until <= now) _ended.Remove(connectionId);
        }
    }
}
