using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Presence;

/// <summary>
/// The keys of the users that are online through this silo's grains. Renews them, and finds grains with a passed deadline and users whose
/// lastSeen is due.
/// </summary>
/// <remarks>
/// One instance per silo, so that ten thousand online users cost one loop and pipelined batches instead of ten thousand timers. A grain
/// reports only its own user. The gate makes the check "still online?" and the command that follows one step. Otherwise a renewal of the
/// key could be issued after the deletion and leave a ghost for a full TTL.
/// </remarks>
internal sealed partial class PresenceKeys(
    IPresenceIndex index, IOptions<PresenceOptions> options, TimeProvider time, ILogger<PresenceKeys> logger)
{
    // Small enough that a grain waits only briefly for the gate, large enough that Redis receives pipelines.
    private const int BatchSize = 256;

    private readonly TimeSpan _renewalInterval = options.Value.KeyRenewalInterval;
    private readonly TimeSpan _saveInterval = options.Value.LastSeenSaveInterval;
    private readonly Dictionary<Guid, Entry> _users = [];
    private readonly Lock _gate = new();

    /// <summary>A grain's report about its online user.</summary>
    /// <param name="NextDeadline">When a lease or a grace period expires.</param>
    /// <param name="SeenAt">The lastSeen that other users may see, or <see langword="null"/>.</param>
    /// <param name="IsInvisible">Whether the user is invisible.</param>
    public readonly record struct OnlineState(DateTimeOffset NextDeadline, DateTimeOffset? SeenAt, bool IsInvisible);

    private sealed class Entry
    {
        public OnlineState State;
        public DateTimeOffset KeyDueAt;
        public DateTimeOffset SaveDueAt;

        // Whether the invisible key may exist: set before the command is issued, and cleared when its deletion was issued.
        public bool HasInvisibleKey;
    }

    /// <summary>The number of users that are online through this silo's grains.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _users.Count;
        }
    }

    /// <summary>The number of users that still have a key although their last lease expired at least that long ago.</summary>
    public int CountGhosts(TimeSpan overdue)
    {
        var before = time.GetUtcNow() - overdue;
        lock (_gate) return _users.Values.Count(entry => entry.State.NextDeadline < before);
    }

    /// <summary>Sets the key of a user who came online. If Redis is unavailable, the renewal loop sets the key later.</summary>
    /// <returns>Whether the key existed before. <see langword="null"/> if Redis is unavailable.</returns>
    public async Task<bool?> SetOnlineAsync(Guid userId, OnlineState state)
    {
        var now = time.GetUtcNow();
        Task<bool> set;
        lock (_gate)
        {
            _users[userId] = new()
            {
                State = state, KeyDueAt = now + _renewalInterval, SaveDueAt = now + _saveInterval, HasInvisibleKey = state.IsInvisible,
            };
            set = index.SetOnlineAsync(userId, state.IsInvisible);
        }

        if (await SucceedsAsync(set)) return await set;
        lock (_gate)
        {
            if (_users.TryGetValue(userId, out var entry)) entry.KeyDueAt = DateTimeOffset.MinValue;
        }

        return null;
    }

    /// <summary>Records that the user is still online. Sets the key again if this instance has released the user.</summary>
    /// <returns>A task that completes once the invisible key is up to date or Redis is known to be unavailable. Completed if the key needs
    /// no change.</returns>
    public Task TouchAsync(Guid userId, OnlineState state)
    {
        Task changed;
        lock (_gate)
        {
            if (!_users.TryGetValue(userId, out var entry))
            {
                // Whether the invisible key exists is unknown, so it is written in any case.
                _users[userId] = entry = new() { KeyDueAt = DateTimeOffset.MinValue, HasInvisibleKey = !state.IsInvisible };
            }

            entry.State = state;
            if (entry.HasInvisibleKey == state.IsInvisible) return Task.CompletedTask;
            entry.HasInvisibleKey = state.IsInvisible;
            changed = index.SetInvisibleAsync(userId, state.IsInvisible);
        }

        return changed.IsCompletedSuccessfully ? Task.CompletedTask : SucceedsOrIsDueAsync(userId, changed);
    }

    /// <summary>Deletes the keys of a user who went offline. While Redis is unavailable, the keys expire instead.</summary>
    public Task SetOfflineAsync(Guid userId)
    {
        Task deleted;
        lock (_gate)
        {
            if (!_users.Remove(userId, out var entry)) return Task.CompletedTask;
            deleted = index.SetOfflineAsync(userId, entry.HasInvisibleKey);
        }

        return deleted.IsCompletedSuccessfully ? Task.CompletedTask : SucceedsAsync(deleted);
    }

    /// <summary>Called when the grain moves from this silo while its user is online. The next silo takes over the unchanged keys.</summary>
    public void Release(Guid userId)
    {
        lock (_gate) _users.Remove(userId);
    }

    /// <summary>
    /// Removes a user whose deadline is the same as before the grain was called. The grain is then active on another silo, which renews
    /// the keys. Otherwise this silo would renew a ghost's key for ever.
    /// </summary>
    public void ReleaseIfUntouched(Guid userId, DateTimeOffset deadline)
    {
        lock (_gate)
        {
            if (_users.TryGetValue(userId, out var entry) && entry.State.NextDeadline == deadline) _users.Remove(userId);
        }
    }

    /// <summary>Users whose grains must check their deadlines, and the passed deadline of each.</summary>
    public List<(Guid UserId, DateTimeOffset Deadline)> FindExpired()
    {
        var now = time.GetUtcNow();
        lock (_gate) return [.. _users.Where(user => user.Value.State.NextDeadline <= now).Select(user => (user.Key, user.Value.State.NextDeadline))];
    }

    /// <summary>
    /// lastSeen of users who are still online, at most once per save interval. Otherwise a simultaneous crash of grain and front end would
    /// lose the value.
    /// </summary>
    public List<LastSeen> TakeSeen()
    {
        var now = time.GetUtcNow();
        List<LastSeen> seen = [];
        lock (_gate)
        {
            foreach (var (userId, entry) in _users)
            {
                if (entry.SaveDueAt > now || entry.State.SeenAt is not { } seenAt) continue;
                entry.SaveDueAt = now + _saveInterval;
                seen.Add(new(userId, Instant.Truncate(seenAt)));
            }
        }

        return seen;
    }

    /// <summary>Renews the keys that are due.</summary>
    public async Task RenewAsync()
    {
        var now = time.GetUtcNow();
        Guid[] due;
        lock (_gate) due = [.. _users.Where(user => user.Value.KeyDueAt <= now).Select(user => user.Key)];
        foreach (var batch in due.Chunk(BatchSize))
        {
            if (!await RenewAsync(batch, now)) break; // Unavailable: the rest would only wait as long again.
        }
    }

    private async Task<bool> RenewAsync(Guid[] batch, DateTimeOffset now)
    {
        Task renewed;
        lock (_gate)
        {
            List<(Guid, bool)> online = [];
            foreach (var userId in batch)
            {
                if (!_users.TryGetValue(userId, out var entry)) continue;
                entry.HasInvisibleKey |= entry.State.IsInvisible;
                online.Add((userId, entry.State.IsInvisible));
            }

            if (online.Count == 0) return true;
            renewed = index.SetOnlineAsync(online);
        }

        if (!await SucceedsAsync(renewed)) return false;
        lock (_gate)
        {
            foreach (var userId in batch)
            {
                if (_users.TryGetValue(userId, out var entry)) entry.KeyDueAt = now + _renewalInterval;
            }
        }

        return true;
    }

    private async Task SucceedsOrIsDueAsync(Guid userId, Task command)
    {
        if (await SucceedsAsync(command)) return;
        lock (_gate)
        {
            if (_users.TryGetValue(userId, out var entry)) entry.KeyDueAt = DateTimeOffset.MinValue;
        }
    }

    private async Task<bool> SucceedsAsync(Task command)
    {
        try
        {
            await command;
            return true;
        }
        catch (PresenceIndexUnavailableException e)
        {
            LogIndexUnavailable(e.Message);
            return false;
        }
    }

    [LoggerMessage(1100, LogLevel.Debug, "Presence keys cannot be written at present: {Reason}")]
    private partial void LogIndexUnavailable(string reason);
}
