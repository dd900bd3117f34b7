namespace Pulse.Web.Presence;

/// <summary>The users whose watches begin or end on this front end, in order, until the tables of all silos have them.</summary>
/// <remarks>
/// A position counts entries from the start. An entry records only that something changed. The user's state at the time of sending counts.
/// </remarks>
internal sealed class WatchJournal
{
    private readonly Lock _lock = new();
    private readonly List<Guid> _entries = [];
    private readonly Queue<(long Position, TaskCompletionSource Done)> _waiting = new();
    private TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _start;
    private long _lastAdded;

    /// <summary>The position after the last entry.</summary>
    public long End
    {
        get
        {
            lock (_lock) return _start + _entries.Count;
        }
    }

    /// <summary>Adds newly watched users. They are sent at once.</summary>
    /// <returns>The position that a table must reach to have them.</returns>
    public long Add(IEnumerable<Guid> userIds)
    {
        TaskCompletionSource added;
        lock (_lock)
        {
            _entries.AddRange(userIds);
            _lastAdded = _start + _entries.Count;
            (added, _added) = (_added, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        added.SetResult();
        return _lastAdded;
    }

    /// <summary>Adds a user whose last watch has ended. Sent with the next newly watched users, or with the next renewal.</summary>
    public void Remove(Guid userId)
    {
        lock (_lock) _entries.Add(userId);
    }

    /// <summary>Completes when users have been added after that position.</summary>
    public Task AddedAsync(long position)
    {
        lock (_lock) return _lastAdded > position ? Task.CompletedTask : _added.Task;
    }

    /// <summary>Entries from that position on. <see langword="null"/> if they have been dropped.</summary>
    public Guid[]? Read(long position, int count)
    {
        lock (_lock)
        {
            if (position < _start) return null;
            var from = (int)(position - _start);
            return [.. _entries[from..Math.Min(_entries.Count, from + count)]];
        }
    }

    /// <summary>Completes when all tables have reached the position.</summary>
    public Task ReachedAsync(long position)
    {
        lock (_lock)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue((position, done));
            return done.Task;
        }
    }

    /// <summary>Called when all responsive tables have reached the position.</summary>
    /// <param name="reached">Completes the waits up to this position.</param>
    /// <param name="needed">Entries before this position are dropped, because only failing tables lack them.</param>
    public void Reach(long reached, long needed)
    {
        List<TaskCompletionSource> done = [];
        lock (_lock)
        {
            // Positions are nearly in order. A waiter behind a later one completes with it.
            while (_waiting.TryPeek(out var first) && first.Position <= reached) done.Add(_waiting.Dequeue().Done);
            if (needed > _start)
            {
                _entries.RemoveRange(0, (int)(needed - _start));
                _start = needed;
            }
        }

        foreach (var waiter in done) waiter.SetResult();
    }
}
