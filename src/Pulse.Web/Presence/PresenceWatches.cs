using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Web.Presence;

/// <summary>Whom the sockets of this process watch. A user's grain tells this process once, whoever many sockets watch; each socket is told from here.</summary>
internal sealed partial class PresenceWatches(
    GrainReferences<IUserGrain> users, FrontEndReference reference, IHubContext<PresenceHub, IPresenceClient> hub, ILogger<PresenceWatches> logger)
{
    /// <summary>Most users that one connection may watch.</summary>
    public const int MaxPerConnection = 1_000;

    private readonly ConcurrentDictionary<Guid, Watched> _watched = new();

    /// <summary>One watched user. Its own lock guards it; nothing is awaited under it.</summary>
    private sealed class Watched
    {
        public PresenceSnapshot? Known;
        public int Watchers;
        public bool IsGone;
    }

    /// <summary>The users that anybody here watches.</summary>
    public ICollection<Guid> Users => _watched.Keys;

    /// <summary>Has the connection told of every change of the user's presence from now on.</summary>
    /// <returns>The presence now.</returns>
    public async Task<PresenceSnapshot> WatchAsync(LiveConnection connection, Guid userId)
    {
        if (connection.Watched.Add(userId))
        {
            Join(userId);
            await hub.Groups.AddToGroupAsync(connection.ConnectionId, Group(userId, connection.UserId));
        }

        if (Known(userId) is null) await RefreshAsync(userId);

        // After joining the group: a change from here on reaches the connection itself.
        return Known(userId) ?? throw new InvalidOperationException("A watched user's presence was lost.");
    }

    /// <summary>Ends one watch.</summary>
    public async Task UnwatchAsync(LiveConnection connection, Guid userId)
    {
        if (!connection.Watched.Remove(userId)) return;
        await hub.Groups.RemoveFromGroupAsync(connection.ConnectionId, Group(userId, connection.UserId));
        await LeaveAsync(userId);
    }

    /// <summary>Ends all watches of a connection that is gone.</summary>
    public Task ForgetAsync(LiveConnection connection) => Task.WhenAll(connection.Watched.Select(LeaveAsync));

    /// <summary>Takes in what a grain tells, and passes it on to whoever watches if it is news.</summary>
    public void Take(PresenceSnapshot presence)
    {
        if (!_watched.TryGetValue(presence.UserId, out var watched)) return;
        lock (watched)
        {
            // Late or repeated; or a guess where something certain is known.
            if (watched.Known is { } known && (presence.Version <= known.Version || presence.IsProvisional)) return;

            var before = watched.Known;
            watched.Known = presence;
            if (before is null) return;

            // Begun under the lock, so that two changes of one user are handed to SignalR in their order; a slow socket is waited for by nobody.
            var (others, own) = (PresenceResponse.From(presence), PresenceResponse.OwnFrom(presence));
            // Others are not told that nothing changed: that would show them somebody invisible coming and going.
            if (PresenceResponse.From(before) with { Version = others.Version } != others) _ = SendAsync(Group(presence.UserId, viewer: default), others);
            if (PresenceResponse.OwnFrom(before) with { Version = own.Version } != own) _ = SendAsync(Group(presence.UserId, viewer: presence.UserId), own);
        }
    }

    /// <summary>Asks the user's grain again: it may be a new one that knows of no watchers, or its last message may have been lost.</summary>
    public async Task RefreshAsync(Guid userId)
    {
        var presence = await users[userId].WatchAsync(reference.Value, Known(userId)?.Version ?? 0);
        Take(presence);
    }

    /// <summary>As <see cref="RefreshAsync"/>, for those who ask regularly.</summary>
    public async Task TryRefreshAsync(Guid userId)
    {
        try
        {
            await RefreshAsync(userId);
        }
        catch (Exception e)
        {
            LogRefreshFailed(e.GetType().Name);
        }
    }

    private PresenceSnapshot? Known(Guid userId)
    {
        if (!_watched.TryGetValue(userId, out var watched)) return null;
        lock (watched) return watched.Known;
    }

    private void Join(Guid userId)
    {
        while (true)
        {
            var watched = _watched.GetOrAdd(userId, _ => new());
            lock (watched)
            {
                if (watched.IsGone) continue;
                watched.Watchers++;
                return;
            }
        }
    }

    private async Task LeaveAsync(Guid userId)
    {
        if (!_watched.TryGetValue(userId, out var watched)) return;
        lock (watched)
        {
            if (--watched.Watchers > 0) return;
            watched.IsGone = true;
            _watched.TryRemove(userId, out _);
        }

        try
        {
            await users[userId].UnwatchAsync(reference.Value);

            // Somebody may have begun to watch meanwhile; what they asked of the grain may have come before this.
            if (_watched.ContainsKey(userId)) await RefreshAsync(userId);
        }
        catch (Exception e)
        {
            // The grain forgets a front end that does not ask again.
            LogRefreshFailed(e.GetType().Name);
        }
    }

    private async Task SendAsync(string group, PresenceResponse presence)
    {
        try
        {
            await hub.Clients.Group(group).PresenceChanged(presence);
        }
        catch (Exception e)
        {
            LogSendFailed(e.GetType().Name);
        }
    }

    // Users see themselves as they are, others as they want to be seen.
    private static string Group(Guid userId, Guid viewer) => viewer == userId ? $"presence-own:{userId:N}" : $"presence:{userId:N}";

    [LoggerMessage(2120, LogLevel.Debug, "A watched user's grain did not answer ({Reason}); it is asked again.")]
    private partial void LogRefreshFailed(string reason);

    [LoggerMessage(2121, LogLevel.Debug, "A change did not reach all who watch ({Reason}).")]
    private partial void LogSendFailed(string reason);
}
