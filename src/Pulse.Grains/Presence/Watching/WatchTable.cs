using Microsoft.Extensions.Options;
using Pulse.Presence;

namespace Pulse.Grains.Presence.Watching;

/// <summary>The front ends of each watched user, for the user grains of this silo, and the latest changes.</summary>
/// <remarks>
/// One instance per silo. A front end costs some 40 bytes for each user that it watches, whether or not the user has an activation here.
/// </remarks>
internal sealed class WatchTable(IOptions<PresenceOptions> options, TimeProvider time)
{
    private readonly TimeSpan _lifetime = LeaseTimes.WatchLifetime(options.Value.TimeToLive);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, FrontEnd> _frontEnds = [];
    private readonly Dictionary<Guid, Change> _changes = [];
    private readonly Queue<(Guid UserId, Change Change)> _oldestChanges = new();
    private long _incompleteSince = time.GetTimestamp();
    private long _mark;
    private long _generation;

    private sealed record Change(PresenceSnapshot Snapshot, long Mark, long At);

    private sealed class FrontEnd
    {
        public required IFrontEndObserver Observer { get; set; }

        public HashSet<Guid> Users { get; } = [];

        public long Generation { get; set; }

        public long RenewedAt { get; set; }
    }

    /// <summary>
    /// Whether a change of this user must be published. A silo that has just started publishes all changes, because a front end that has
    /// yet to discover the silo receives them as soon as it does. So does a silo that has removed a silent front end: if the front end or
    /// this silo was only paused, the front end registers again.
    /// </summary>
    public bool IsWatched(Guid userId)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_incompleteSince) < _lifetime) return true;
            foreach (var frontEnd in _frontEnds.Values)
            {
                if (frontEnd.Users.Contains(userId)) return true;
            }

            return false;
        }
    }

    /// <summary>Notifies the front ends that watch the user, and keeps the snapshot for those that miss the message.</summary>
    public void Publish(PresenceSnapshot snapshot)
    {
        List<IFrontEndObserver> observers = [];
        lock (_lock)
        {
            RemoveExpired();
            var change = new Change(snapshot, ++_mark, time.GetTimestamp());
            _changes[snapshot.UserId] = change;
            _oldestChanges.Enqueue((snapshot.UserId, change));
            foreach (var frontEnd in _frontEnds.Values)
            {
                if (frontEnd.Users.Contains(snapshot.UserId)) observers.Add(frontEnd.Observer);
            }
        }

        foreach (var observer in observers) Notify(observer, snapshot);
    }

    /// <summary>See <see cref="IWatchTableGrain.UpdateAsync"/>.</summary>
    public WatchTableAnswer Update(string frontEndId, IFrontEndObserver observer, Guid[] added, Guid[] removed, long generation)
    {
        lock (_lock)
        {
            RemoveExpired();
            if (generation == 0) _frontEnds[frontEndId] = new() { Observer = observer };
            else if (!_frontEnds.TryGetValue(frontEndId, out var known) || known.Generation != generation) return new();

            var frontEnd = _frontEnds[frontEndId];
            frontEnd.Observer = observer;
            frontEnd.Users.ExceptWith(removed);
            frontEnd.Users.UnionWith(added);
            (frontEnd.Generation, frontEnd.RenewedAt) = (++_generation, time.GetTimestamp());
            var changes = _changes.Count == 0 ? [] : added.Where(_changes.ContainsKey).Select(userId => _changes[userId].Snapshot);
            return new() { Generation = _generation, Changes = [.. changes] };
        }
    }

    /// <summary>See <see cref="IWatchTableGrain.RenewAsync"/>.</summary>
    public WatchTableAnswer Renew(string frontEndId, long generation, long mark)
    {
        lock (_lock)
        {
            RemoveExpired();
            if (!_frontEnds.TryGetValue(frontEndId, out var frontEnd) || frontEnd.Generation != generation) return new();

            frontEnd.RenewedAt = time.GetTimestamp();
            var changes = _changes.Values.Where(change => change.Mark > mark && frontEnd.Users.Contains(change.Snapshot.UserId)).Select(change => change.Snapshot);
            return new() { Generation = generation, Changes = [.. changes], Mark = _mark };
        }
    }

    /// <summary>See <see cref="IWatchTableGrain.ForgetAsync"/>.</summary>
    public void Forget(string frontEndId)
    {
        lock (_lock) _frontEnds.Remove(frontEndId);
    }

    private void RemoveExpired()
    {
        while (_oldestChanges.TryPeek(out var oldest) && time.GetElapsedTime(oldest.Change.At) >= _lifetime)
        {
            _oldestChanges.Dequeue();
            if (_changes.TryGetValue(oldest.UserId, out var latest) && latest == oldest.Change) _changes.Remove(oldest.UserId);
        }

        foreach (var (id, frontEnd) in _frontEnds)
        {
            if (time.GetElapsedTime(frontEnd.RenewedAt) < _lifetime || frontEnd.Generation == 0) continue;
            _frontEnds.Remove(id);
            _incompleteSince = time.GetTimestamp();
        }
    }

    private static void Notify(IFrontEndObserver observer, PresenceSnapshot snapshot)
    {
        try
        {
            // One-way: the task completes once the message is queued.
            _ = observer.PresenceChanged(snapshot);
        }
        catch (Exception)
        {
            // An unreachable front end asks for missed changes when it renews, or it is removed.
        }
    }
}
