using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pulse.Grains.Users;

namespace Pulse.Grains.Presence;

/// <summary>
/// The users that are online by this silo's grains: keeps their keys alive, wakes a grain whose lease ran out, and has lastSeen saved now and then.
/// </summary>
/// <remarks>
/// One per silo, so that ten thousand online users cost one loop and pipelined batches, not ten thousand timers. A grain tells it of its own
/// user only. The gate makes "still online?" and the command that follows one step: without it, a renewal of the key could be issued after
/// the deletion and leave a ghost for a whole TTL.
/// </remarks>
internal sealed partial class OnlineUsers(
    IPresenceIndex index, IOptions<PresenceOptions> options, TimeProvider time, ILogger<OnlineUsers> logger)
{
    // Small enough that a grain never waits long for the gate, large enough that Redis sees pipelines.
    private const int BatchSize = 256;

    private readonly TimeSpan _keyRenewalInterval = options.Value.KeyRenewalInterval;
    private readonly TimeSpan _saveInterval = options.Value.LastSeenSaveInterval;
    private readonly Dictionary<Guid, Entry> _users = [];
    private readonly Lock _gate = new();

    private sealed class Entry
    {
        public DateTimeOffset NextDeadline;
        public DateTimeOffset KeyDueAt;
        public DateTimeOffset? SeenAt;
        public DateTimeOffset SaveDueAt;
    }

    /// <summary>The user came online: sets the key. Redis being away is no failure here; the sweep sets the key when it is back.</summary>
    /// <returns>Whether Redis said that the key was there before.</returns>
    public async Task<bool> AddAsync(Guid userId, DateTimeOffset nextDeadline, DateTimeOffset? seenAt)
    {
        var now = time.GetUtcNow();
        Task<bool> set;
        lock (_gate)
        {
            _users[userId] = new() { NextDeadline = nextDeadline, KeyDueAt = now + _keyRenewalInterval, SeenAt = seenAt, SaveDueAt = now + _saveInterval };
            set = index.SetOnlineAsync(userId);
        }

        if (await SucceedsAsync(set)) return await set;
        lock (_gate)
        {
            if (_users.TryGetValue(userId, out var entry)) entry.KeyDueAt = DateTimeOffset.MinValue;
        }

        return false;
    }

    /// <summary>The user is still online; the grain wants to be woken at <paramref name="nextDeadline"/>.</summary>
    /// <param name="userId">Who.</param>
    /// <param name="nextDeadline">When a lease runs out.</param>
    /// <param name="seenAt">The last sign of life that others may know of; <see langword="null"/> for none.</param>
    public void Extend(Guid userId, DateTimeOffset nextDeadline, DateTimeOffset? seenAt)
    {
        lock (_gate)
        {
            if (_users.TryGetValue(userId, out var entry)) (entry.NextDeadline, entry.SeenAt) = (nextDeadline, seenAt);
        }
    }

    /// <summary>The user went offline: deletes the key, or lets it lapse while Redis is away.</summary>
    public Task RemoveAsync(Guid userId)
    {
        Task deleted;
        lock (_gate)
        {
            if (!_users.Remove(userId)) return Task.CompletedTask;
            deleted = index.SetOfflineAsync(userId);
        }

        return deleted.IsCompletedSuccessfully ? Task.CompletedTask : SucceedsAsync(deleted);
    }

    /// <summary>The grain leaves this silo while its user is online: the next silo takes over the key, which is not touched.</summary>
    public void Forget(Guid userId)
    {
        lock (_gate) _users.Remove(userId);
    }

    /// <summary>Renews the keys that are due.</summary>
    /// <returns>
    /// Users whose grain should look at its leases; and lastSeen of users who are still here, to be saved in case that grain and front end die together:
    /// nobody would be left to write it.
    /// </returns>
    public async Task<(List<Guid> Expired, List<LastSeen> Seen)> SweepAsync()
    {
        var now = time.GetUtcNow();
        List<Guid> expired = [], due = [];
        List<LastSeen> seen = [];
        lock (_gate)
        {
            foreach (var (userId, entry) in _users)
            {
                if (entry.NextDeadline <= now) expired.Add(userId);
                if (entry.KeyDueAt <= now) due.Add(userId);
                if (entry.SaveDueAt > now || entry.SeenAt is not { } seenAt) continue;
                entry.SaveDueAt = now + _saveInterval;
                seen.Add(new(userId, Instant.Truncate(seenAt)));
            }
        }

        foreach (var batch in due.Chunk(BatchSize))
        {
            if (!await RenewKeysAsync(batch, now)) break; // Away: the rest would only wait as long again.
        }

        return (expired, seen);
    }

    private async Task<bool> RenewKeysAsync(Guid[] batch, DateTimeOffset now)
    {
        Task renewed;
        lock (_gate)
        {
            var online = Array.FindAll(batch, _users.ContainsKey);
            if (online.Length == 0) return true;
            renewed = index.SetOnlineAsync(online);
        }

        if (!await SucceedsAsync(renewed)) return false;
        lock (_gate)
        {
            foreach (var userId in batch)
            {
                if (_users.TryGetValue(userId, out var entry)) entry.KeyDueAt = now + _keyRenewalInterval;
            }
        }

        return true;
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

    [LoggerMessage(1100, LogLevel.Debug, "Presence goes on without its keys for now: {Reason}")]
    private partial void LogIndexUnavailable(string reason);
}
