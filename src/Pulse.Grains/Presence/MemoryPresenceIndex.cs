using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Pulse.Grains.Presence;

/// <summary>
/// Presence keys in this process's memory, for deployments that lack Redis. The keys are private to the process, and a restart loses them.
/// </summary>
internal sealed class MemoryPresenceIndex(IOptions<PresenceOptions> options, TimeProvider time) : IPresenceIndex
{
    private readonly TimeSpan _timeToLive = options.Value.TimeToLive;
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _online = new();
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _invisible = new();

    public Task<bool> SetOnlineAsync(Guid userId, bool invisible)
    {
        var before = IsLive(_online, userId);
        Set(userId, invisible);
        return Task.FromResult(before);
    }

    public Task SetOnlineAsync(IReadOnlyCollection<(Guid UserId, bool Invisible)> users)
    {
        foreach (var (userId, invisible) in users) Set(userId, invisible);
        return Task.CompletedTask;
    }

    public Task SetInvisibleAsync(Guid userId, bool invisible)
    {
        if (invisible) _invisible[userId] = time.GetUtcNow() + _timeToLive;
        else _invisible.TryRemove(userId, out _);
        return Task.CompletedTask;
    }

    public Task SetOfflineAsync(Guid userId, bool wasInvisible)
    {
        _online.TryRemove(userId, out _);
        if (wasInvisible) _invisible.TryRemove(userId, out _);
        return Task.CompletedTask;
    }

    public Task<bool> IsOnlineAsync(Guid userId) => Task.FromResult(IsLive(_online, userId));

    public Task<bool> IsInvisibleAsync(Guid userId) => Task.FromResult(IsLive(_invisible, userId));

    private void Set(Guid userId, bool invisible)
    {
        var expiresAt = time.GetUtcNow() + _timeToLive;
        if (invisible) _invisible[userId] = expiresAt;
        _online[userId] = expiresAt;
    }

    // Always complete: a process that loses the keys also loses all sockets, so every user was offline when this process started.
    public Task<OnlineKeys> FindOnlineAsync(IReadOnlyList<Guid> userIds) =>
        Task.FromResult(new OnlineKeys([.. userIds.Select(userId => IsLive(_online, userId))], IsComplete: true));

    private bool IsLive(ConcurrentDictionary<Guid, DateTimeOffset> keys, Guid userId) =>
        keys.TryGetValue(userId, out var expiresAt) && expiresAt > time.GetUtcNow();
}
