using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Presence;

/// <summary>
/// The keys of the users that are online by this silo's grains: keeps them alive, and knows which grain has a deadline that has passed and whose lastSeen is
/// to be saved.
/// </summary>
/// <remarks>
/// One per silo, so that ten thousand online users cost one loop and pipelined batches, not ten thousand timers. A grain reports its own user only. The
/// gate makes "still online?" and the command that follows one step: otherwise a renewal of the key could be issued after the deletion and leave a
/// ghost for a whole TTL.
/// </remarks>
internal sealed partial class PresenceKeys(
    IPresenceIndex index, IOptions<PresenceOptions> options, TimeProvider time, ILogger<PresenceKeys> logger)
{
    // Small enough that a grain never waits long for the gate, large enough that Redis sees pipelines.
    private const int BatchSize = 256;

    private readonly TimeSpan _renewalInterval = options.Value.KeyRenewalInterval;
    private readonly TimeSpan _saveInterval = options.Value.LastSeenSaveInterval;
    private readonly Dictionary<Guid, Entry> _users = [];
    private readonly Lock _gate = new();

    /// <summary>What a grain reports of its online user.</summary>
    /// <param name="NextDeadline">When a lease or a grace period expires.</param>
    /// <param name="SeenAt">The last sign of life that others may see; <see langword="null"/> for none.</param>
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

    /// <summary>How many users are online by this silo's grains.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _users.Count;
        }
    }

    /// <summary>How many users have had no live lease for at least that long, and yet a key.</summary>
    public int CountGhosts(TimeSpan overdue)
    {
        var before = time.GetUtcNow() - overdue;
        lock (_gate) return _users.Values.Count(entry => entry.State.NextDeadline < before);
    }

    /// <summary>The user came online: sets the key. An unavailable Redis is no failure here; the renewal loop sets the key when Redis is back.</summary>
    /// <returns>Whether the key was there before; <see langword="null"/> when Redis did not answer.</returns>
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

    /// <summary>The user is still online.</summary>
    /// <returns>Completes once the invisible key agrees, or Redis is known to be unavailable; at once where nothing changes.</returns>
    public Task TouchAsync(Guid userId, OnlineState state)
    {
        Task changed;
        lock (_gate)
        {
            if (!_users.TryGetValue(userId, out var entry)) return Task.CompletedTask;
            entry.State = state;
            if (entry.HasInvisibleKey == state.IsInvisible) return Task.CompletedTask;
            entry.HasInvisibleKey = state.IsInvisible;
            changed = index.SetInvisibleAsync(userId, state.IsInvisible);
        }

        return changed.IsCompletedSuccessfully ? Task.CompletedTask : SucceedsOrIsDueAsync(userId, changed);
    }

    /// <summary>The user went offline: deletes the keys, or lets them expire while Redis is unavailable.</summary>
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

    /// <summary>The grain leaves this silo while its user is online: the next silo takes over the keys, which are not touched.</summary>
    public void Release(Guid userId)
    {
        lock (_gate) _users.Remove(userId);
    }

    /// <summary>
    /// Drops a user whose deadline has passed although the grain was just asked to look at it: the grain is active on another silo, which keeps the keys.
    /// Otherwise this silo would renew a ghost's key for ever.
    /// </summary>
    public void ReleaseIfOverdue(Guid userId)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            if (_users.TryGetValue(userId, out var entry) && entry.State.NextDeadline <= now) _users.Remove(userId);
        }
    }

    /// <summary>Users whose grain is to look at its deadlines.</summary>
    public List<Guid> FindExpired()
    {
        var now = time.GetUtcNow();
        lock (_gate) return [.. _users.Where(user => user.Value.State.NextDeadline <= now).Select(user => user.Key)];
    }

    /// <summary>
    /// lastSeen of users who are still online, each once per save interval: a crash of the grain and the front end together would leave nothing that writes it.
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

    [LoggerMessage(1100, LogLevel.Debug, "Presence keys are not written for now: {Reason}")]
    private partial void LogIndexUnavailable(string reason);
}
