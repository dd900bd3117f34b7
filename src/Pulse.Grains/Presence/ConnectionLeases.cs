using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>The rule of presence: a user is online while one lease lives. No I/O, no clock of its own.</summary>
/// <remarks>
/// Messages of several front ends may arrive late, twice, or in any order. A connection id is used once, so an ended connection stays ended:
/// its id is remembered for as long as a message about it could still be under way, and forgotten then.
/// </remarks>
internal sealed class ConnectionLeases(TimeSpan duration)
{
    private readonly Dictionary<string, Held> _live = [];

    // Null until a connection ends: most users have one connection and are forgotten soon after it.
    private Dictionary<string, DateTimeOffset>? _ended;

    private readonly record struct Held(DateTimeOffset SeenAt, DateTimeOffset ExpiresAt);

    /// <summary>Connections with a lease that has not been expired.</summary>
    public int Count => _live.Count;

    /// <summary>When the next lease runs out unless renewed; <see cref="DateTimeOffset.MaxValue"/> without any.</summary>
    public DateTimeOffset NextExpiry { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>Takes or extends a lease.</summary>
    /// <returns><see langword="false"/> when that connection has ended already: nothing changed.</returns>
    public bool Renew(ConnectionLease lease, DateTimeOffset now)
    {
        if (_ended is not null && _ended.ContainsKey(lease.ConnectionId)) return false;

        // The silo's own clock decides when a lease ends: front ends' clocks may differ. A sign of life is never in the future.
        var seenAt = lease.SeenAt < now ? lease.SeenAt : now;
        if (_live.TryGetValue(lease.ConnectionId, out var held) && held.SeenAt > seenAt) seenAt = held.SeenAt;
        _live[lease.ConnectionId] = new(seenAt, now + duration);
        FindNextExpiry();
        return true;
    }

    /// <summary>Ends a connection for good, whether or not it is known.</summary>
    /// <returns>Whether it held a lease.</returns>
    public bool End(string connectionId, DateTimeOffset now)
    {
        ForgetEnded(now);
        (_ended ??= [])[connectionId] = now + duration;
        if (!_live.Remove(connectionId)) return false;
        FindNextExpiry();
        return true;
    }

    /// <summary>Drops the leases that have run out at <paramref name="now"/>.</summary>
    /// <returns>The latest sign of life among those dropped; <see langword="null"/> if none was.</returns>
    public DateTimeOffset? Expire(DateTimeOffset now)
    {
        ForgetEnded(now);
        if (now < NextExpiry) return null;

        DateTimeOffset? seenAt = null;
        foreach (var (connectionId, held) in _live)
        {
            if (held.ExpiresAt > now) continue;
            _live.Remove(connectionId);
            if (seenAt is null || held.SeenAt > seenAt) seenAt = held.SeenAt;
        }

        FindNextExpiry();
        return seenAt;
    }

    private void FindNextExpiry()
    {
        var next = DateTimeOffset.MaxValue;
        foreach (var held in _live.Values)
        {
            if (held.ExpiresAt < next) next = held.ExpiresAt;
        }

        NextExpiry = next;
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
