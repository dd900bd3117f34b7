using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Web.Presence;

/// <summary>Whom the sockets of this process watch. A user's grain tells this process once, whoever many sockets watch; each socket is told from here.</summary>
internal sealed partial class PresenceWatches(GrainReferences<IUserGrain> users, FrontEndReference reference, ILogger<PresenceWatches> logger)
{
    /// <summary>Most users that one connection may watch.</summary>
    public const int MaxPerConnection = 1_000;

    private readonly ConcurrentDictionary<Guid, Watched> _watched = new();

    /// <summary>One watched user. Its own lock guards it; nothing is awaited under it.</summary>
    private sealed class Watched
    {
        public readonly HashSet<LiveConnection> Watchers = [];
        public PresenceSnapshot? Known;
        public bool IsGone;
    }

    /// <summary>The users that anybody here watches.</summary>
    public ICollection<Guid> Users => _watched.Keys;

    /// <summary>Has the connection told of every change of the user's presence from now on.</summary>
    /// <returns>The presence now.</returns>
    /// <exception cref="OperationCanceledException">The connection is over.</exception>
    public async Task<PresenceSnapshot> WatchAsync(LiveConnection connection, Guid userId)
    {
        Join(connection, userId);
        if (!connection.TryWatch(userId))
        {
            await LeaveAsync(connection, userId);
            throw new OperationCanceledException("The connection is over.");
        }

        if (Known(userId) is null) await RefreshAsync(userId);

        // After joining: a change from here on reaches the connection itself. It is lost with the last who watches, this one at the earliest.
        return Known(userId) ?? throw new OperationCanceledException("The connection is over.");
    }

    /// <summary>Ends one watch.</summary>
    public async Task UnwatchAsync(LiveConnection connection, Guid userId)
    {
        if (connection.TryUnwatch(userId)) await LeaveAsync(connection, userId);
    }

    /// <summary>Ends all watches of a connection that is gone, also those that a call of its client still asks for.</summary>
    public Task ForgetAsync(LiveConnection connection) => Task.WhenAll(connection.UnwatchAll().Select(userId => LeaveAsync(connection, userId)));

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

            // Others are not told that nothing changed: that would show them somebody invisible coming and going.
            var (others, own) = (PresenceResponse.From(presence), PresenceResponse.OwnFrom(presence));
            var toOthers = PresenceResponse.From(before) with { Version = others.Version } != others ? Message(others) : null;
            var toOneself = PresenceResponse.OwnFrom(before) with { Version = own.Version } != own ? Message(own) : null;

            // Under the lock, so that two changes of one user come in their order.
            foreach (var watcher in watched.Watchers)
            {
                if ((watcher.UserId == presence.UserId ? toOneself : toOthers) is { } message) watcher.Tell(presence.UserId, message);
            }
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

    private void Join(LiveConnection connection, Guid userId)
    {
        while (true)
        {
            var watched = _watched.GetOrAdd(userId, _ => new());
            lock (watched)
            {
                if (watched.IsGone) continue;
                watched.Watchers.Add(connection);
                return;
            }
        }
    }

    private async Task LeaveAsync(LiveConnection connection, Guid userId)
    {
        if (!_watched.TryGetValue(userId, out var watched)) return;
        lock (watched)
        {
            // The end of a connection and a call that it still has under way may both come here.
            if (!watched.Watchers.Remove(connection)) return;
            connection.DoNotTell(userId);
            if (watched.Watchers.Count > 0) return;
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

    // Made once for all who watch; its bytes too, when the first of them is told.
    private static SerializedHubMessage Message(PresenceResponse presence) => new(new InvocationMessage(nameof(IPresenceClient.PresenceChanged), [presence]));

    [LoggerMessage(2120, LogLevel.Debug, "A watched user's grain did not answer ({Reason}); it is asked again.")]
    private partial void LogRefreshFailed(string reason);

    // 2121, retired: a change did not reach all who watch.
}
