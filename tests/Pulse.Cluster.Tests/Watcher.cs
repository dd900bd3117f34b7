using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;

namespace Pulse.Cluster.Tests;

/// <summary>A client that watches users as the client package does, and records every time that it was shown one as offline.</summary>
internal sealed class Watcher
{
    private readonly string[] _userIds;
    private readonly ConcurrentDictionary<Guid, Seen> _seen = new();

    public Watcher(Uri address, string token, IEnumerable<Guid> userIds)
    {
        _userIds = [.. userIds.Select(id => id.ToString())];
        Socket = new(address, token) { OnPresence = Take, OnConnected = WatchAsync };
    }

    private sealed record Seen(string Status, DateTimeOffset? LastSeen, long Version);

    public ClientSocket Socket { get; }

    /// <summary>Whether all users have been answered since it last connected.</summary>
    public bool IsWatching { get; private set; }

    /// <summary>The users that it was shown as offline, and the times, in order.</summary>
    public ConcurrentQueue<(Guid UserId, DateTimeOffset At)> Offlines { get; } = new();

    public IEnumerable<Guid> UserIds => _userIds.Select(Guid.Parse);

    public string? StatusOf(Guid userId) => _seen.TryGetValue(userId, out var seen) ? seen.Status : null;

    public DateTimeOffset? LastSeenOf(Guid userId) => _seen.TryGetValue(userId, out var seen) ? seen.LastSeen : null;

    private async Task WatchAsync(HubConnection hub)
    {
        IsWatching = false;
        while (hub.State == HubConnectionState.Connected)
        {
            try
            {
                foreach (var presence in await hub.InvokeAsync<JsonElement[]>("WatchPresence", _userIds)) Take(presence);
                IsWatching = true;
                return;
            }
            catch (Microsoft.AspNetCore.SignalR.HubException)
            {
                await Task.Delay(500); // The connection survives an unavailable silo.
            }
        }
    }

    private void Take(JsonElement presence)
    {
        var userId = presence.GetProperty("userId").GetGuid();
        var seen = new Seen(
            presence.GetProperty("status").GetString()!,
            presence.GetProperty("lastSeen") is { ValueKind: JsonValueKind.String } at ? at.GetDateTimeOffset() : null,
            presence.GetProperty("version").GetInt64());
        lock (_seen)
        {
            if (_seen.TryGetValue(userId, out var before) && before.Version >= seen.Version) return;
            _seen[userId] = seen;
        }

        if (seen.Status == "offline") Offlines.Enqueue((userId, DateTimeOffset.UtcNow));
    }
}
