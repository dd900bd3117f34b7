using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>The rule of presence: a user is online while one lease lives, or a dropped connection's grace period runs. No I/O, no clock of its own.</summary>
/// <remarks>
/// Messages of several front ends may arrive late, twice, or in any order. A connection id is used once, so an ended connection stays ended:
/// its id is remembered for as long as a message about it could still be under way, and forgotten then.
///
/// A user who hides has gone, as far as others can tell: that is when they were last seen, and what ends while they are hidden does not move it.
/// </remarks>
internal sealed class ConnectionLeases(TimeSpan duration)
{
    private readonly Dictionary<string, Held> _live = [];

    // Null until a connection ends: most users have one connection and are forgotten soon after it.
    private Dictionary<string, DateTimeOffset>? _ended;
    private DateTimeOffset? _graceUntil;
    private (DateTimeOffset At, DateTimeOffset Until)? _assumed;
    private bool _heard;

    // Connections that the grace period waits for to come back.
    private List<ConnectionLease>? _awaited;

    private readonly record struct Held(ConnectionLease Lease, DateTimeOffset ExpiresAt);

    /// <summary>Connections with a lease that has not been expired.</summary>
    public int Count => _live.Count;

    /// <summary>Whether the user counts as connected.</summary>
    public bool IsOnline => _live.Count > 0 || _graceUntil is not null || IsAssumed;

    /// <summary>Whether there may be connections that have not been renewed here yet; see <see cref="Assume"/>.</summary>
    public bool IsAssumed => _assumed is not null;

    /// <summary>When <see cref="Expire"/> has something to do unless a renewal comes first; <see cref="DateTimeOffset.MaxValue"/> for never.</summary>
    public DateTimeOffset NextDeadline { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>Whether a connection, or one that is expected back, hides the user.</summary>
    public bool IsHidden
    {
        get
        {
            foreach (var held in _live.Values)
            {
                if (held.Lease.Status == PresenceStatus.Invisible) return true;
            }

            return _awaited is not null && _awaited.Exists(lease => lease.Status == PresenceStatus.Invisible);
        }
    }

    /// <summary>
    /// When the user last hid, or a connection of theirs that is gone last gave a sign of life while they did not: lastSeen once no other is left, and
    /// while they are hidden.
    /// </summary>
    public DateTimeOffset? GoneAt { get; private set; }

    /// <summary>The latest sign of life of a live connection; of one that is gone while the grace period runs.</summary>
    public DateTimeOffset SeenAt { get; private set; }

    /// <summary>The live connections.</summary>
    public IEnumerable<ConnectionLease> Live => _live.Values.Select(held => held.Lease);

    /// <summary>What makes the user's status: the live connections, and those expected back, so that neither their loss nor what they hid is seen.</summary>
    public IEnumerable<ConnectionLease> Shown => _awaited is null ? Live : Live.Concat(_awaited);

    /// <summary>Takes or extends a lease.</summary>
    /// <returns><see langword="false"/> when that connection has ended already: nothing changed.</returns>
    public bool Renew(ConnectionLease lease, DateTimeOffset now)
    {
        if (_ended is not null && _ended.ContainsKey(lease.ConnectionId)) return false;

        // The silo's own clock decides when a lease ends: front ends' clocks may differ. A sign of life is never in the future.
        var seenAt = lease.SeenAt < now ? lease.SeenAt : now;

        // Of two renewals that overtook each other, the later one holds what the client wants.
        var known = _live.TryGetValue(lease.ConnectionId, out var held);
        var later = known && held.Lease.SeenAt > seenAt ? held.Lease : lease with { SeenAt = seenAt };
        var wasShown = (_live.Count > 0 || _awaited is not null) && !IsHidden;
        if (!known && _awaited is not null)
        {
            later = TakeOverMessage(later, _awaited);
            EndGrace(); // What it was waiting for.
        }

        _live[lease.ConnectionId] = new(later, now + duration);
        _heard = true;
        if (wasShown && IsHidden) NoteGone(seenAt);
        FindNextDeadline();
        return true;
    }

    /// <summary>Ends a connection for good, whether or not it is known.</summary>
    /// <param name="connectionId">Which.</param>
    /// <param name="seenAt">Its end, or last sign of life.</param>
    /// <param name="now">The silo's clock.</param>
    /// <param name="grace">How long the user still counts as connected, waiting for another connection; zero if they meant to leave.</param>
    /// <param name="hid">Whether it hid the user: it need not be known here.</param>
    public void End(string connectionId, DateTimeOffset seenAt, DateTimeOffset now, TimeSpan grace, bool hid = false)
    {
        ForgetEnded(now);
        (_ended ??= [])[connectionId] = now + duration;
        _heard = true;
        if (!hid && !IsHidden) NoteGone(seenAt < now ? seenAt : now);

        // No grace for one that is not known here: it may have ended long ago, and its user been told to be offline.
        if (_live.Remove(connectionId, out var held) && grace > TimeSpan.Zero)
        {
            ExtendGrace(now + grace);
            (_awaited ??= []).Add(held.Lease);
        }

        FindNextDeadline();
    }

    /// <summary>
    /// Takes the user for connected for as long as that, on the word of a key that an earlier activation of the grain has left. Connections that come and go
    /// meanwhile do not shorten it: nothing is known yet of the others.
    /// </summary>
    public void Assume(DateTimeOffset now, TimeSpan patience)
    {
        _assumed = (now, now + patience);
        FindNextDeadline();
    }

    /// <summary>Drops what has run out at <paramref name="now"/>: leases, and the grace period.</summary>
    public void Expire(DateTimeOffset now)
    {
        ForgetEnded(now);
        if (now < NextDeadline) return;

        var hidden = IsHidden;
        if (_graceUntil <= now) EndGrace();
        if (_assumed is { } assumed && assumed.Until <= now)
        {
            _assumed = null;
            if (!_heard) NoteGone(assumed.At); // Not later than this.
        }

        foreach (var (connectionId, held) in _live)
        {
            if (held.ExpiresAt > now) continue;
            _live.Remove(connectionId);
            if (!hidden) NoteGone(held.Lease.SeenAt);
        }

        FindNextDeadline();
    }

    // Who comes back says their status as they connect and their words only then: without these, watchers would see them go and come again.
    private static ConnectionLease TakeOverMessage(ConnectionLease lease, List<ConnectionLease> awaited) =>
        lease.Message is null && awaited.FindLast(gone => gone.Status == lease.Status && gone.Message is not null) is { } same
            ? lease with { Message = same.Message }
            : lease;

    private void EndGrace() => (_graceUntil, _awaited) = (null, null);

    private void ExtendGrace(DateTimeOffset until)
    {
        if (_graceUntil is null || _graceUntil < until) _graceUntil = until;
    }

    private void NoteGone(DateTimeOffset at)
    {
        if (GoneAt is null || GoneAt < at) GoneAt = at;
    }

    private void FindNextDeadline()
    {
        var next = _graceUntil ?? DateTimeOffset.MaxValue;
        if (_assumed is { } assumed && assumed.Until < next) next = assumed.Until;
        foreach (var held in _live.Values)
        {
            if (held.ExpiresAt < next) next = held.ExpiresAt;
            if (held.Lease.SeenAt > SeenAt) SeenAt = held.Lease.SeenAt;
        }

        NextDeadline = next;
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
