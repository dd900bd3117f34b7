using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Pulse.Grains.Presence;

/// <summary>Presence keys in this process's memory, where there is no Redis: nobody else can read them, and a restart forgets them.</summary>
internal sealed class MemoryPresenceIndex(IOptions<PresenceOptions> options, TimeProvider time) : IPresenceIndex
{
    private readonly TimeSpan _timeToLive = options.Value.TimeToLive;
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _expiries = new();

    public async Task<bool> SetOnlineAsync(Guid userId)
    {
        var before = await IsOnlineAsync(userId);
        _expiries[userId] = time.GetUtcNow() + _timeToLive;
        return before;
    }

    public Task SetOnlineAsync(IReadOnlyCollection<Guid> userIds)
    {
        var expiresAt = time.GetUtcNow() + _timeToLive;
        foreach (var userId in userIds) _expiries[userId] = expiresAt;
        return Task.CompletedTask;
    }

    public Task SetOfflineAsync(Guid userId)
    {
        _expiries.TryRemove(userId, out _);
        return Task.CompletedTask;
    }

    public Task<bool> IsOnlineAsync(Guid userId) =>
        Task.FromResult(IsOnline(userId));

    // Complete from the start: the process that lost the keys held all sockets too, so nobody was online when this one started.
    public Task<OnlineKeys> FindOnlineAsync(IReadOnlyList<Guid> userIds) =>
        Task.FromResult(new OnlineKeys([.. userIds.Select(IsOnline)], IsComplete: true));

    private bool IsOnline(Guid userId) => _expiries.TryGetValue(userId, out var expiresAt) && expiresAt > time.GetUtcNow();
}
