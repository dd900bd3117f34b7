using Pulse.Presence;

namespace Pulse.Grains.Tests.Presence.Watching;

/// <summary>
/// Whether a user is certainly invisible: by the messages that a grain has answered, a device of the user is invisible, or is in its grace
/// period, or has an unexpired lease. It uses messages only, never the state of a grain.
/// </summary>
internal sealed class AcknowledgedInvisibility
{
    private readonly Dictionary<string, (ConnectionLease Lease, DateTimeOffset ExpiresAt)> _leases = [];
    private readonly List<DateTimeOffset> _graces = [];
    private readonly HashSet<string> _ended = [];

    public bool IsCertain(DateTimeOffset now) =>
        _graces.Exists(until => until > now)
        || _leases.Values.Any(held => held.Lease.Status == PresenceStatus.Invisible && held.ExpiresAt > now);

    public void Renewed(ConnectionLease lease, DateTimeOffset now)
    {
        if (_ended.Contains(lease.ConnectionId)) return;
        var known = _leases.TryGetValue(lease.ConnectionId, out var held);
        if (known && held.Lease.SeenAt > lease.SeenAt) lease = held.Lease;

        // A new invisible connection may be the dropped device that has reconnected.
        if (!known && lease.Status == PresenceStatus.Invisible && _graces.Count > 0) _graces.RemoveAt(_graces.Count - 1);
        _leases[lease.ConnectionId] = (lease, now + SteppedCluster.Options.LeaseDuration);
    }

    public void Ended(ConnectionLease lease, ConnectionEnd how, DateTimeOffset now)
    {
        _ended.Add(lease.ConnectionId);
        if (!_leases.Remove(lease.ConnectionId, out var held) || held.Lease.Status != PresenceStatus.Invisible || held.ExpiresAt <= now) return;
        if (how == ConnectionEnd.Dropped) _graces.Add(now + SteppedCluster.Options.OfflineGrace);
    }
}
