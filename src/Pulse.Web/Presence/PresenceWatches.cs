using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Connections;
using Pulse.Web.Silos;

namespace Pulse.Web.Presence;

/// <summary>
/// The users that sockets of this process watch. Silos notify this process once, however many sockets watch, and it notifies each socket.
/// </summary>
internal sealed partial class PresenceWatches(
    GrainReferences<IUserGrain> users, PresenceReader presences, WatchJournal journal, TimeProvider time, ILogger<PresenceWatches> logger)
{
    /// <summary>Maximum users that one connection may watch.</summary>
    public const int MaxPerConnection = 1_000;

    // An unresponsive silo must not delay a client. It sends the missed changes once it answers.
    private static readonly TimeSpan s_tablesWaitedFor = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, Watched> _watched = new();

    /// <summary>One watched user, guarded by its own lock. The lock is never held across an await.</summary>
    private sealed class Watched
    {
        public readonly HashSet<LiveConnection> Watchers = [];
        public PresenceSnapshot? Known;

        /// <summary>Whether Known was read. Otherwise it comes only from a change, whose silo may not know lastSeen yet.</summary>
        public bool IsRead;
        public bool IsAsking;
        public bool IsGone;
    }

    /// <summary>The users that are watched here.</summary>
    public ICollection<Guid> Users => _watched.Keys;

    /// <summary>The number of watched users. Cheaper than counting <see cref="Users"/>.</summary>
    public int Count => _watched.Count;

    /// <summary>Whether any socket here watches the user.</summary>
    public bool Contains(Guid userId) => _watched.ContainsKey(userId);

    /// <summary>Notifies the connection of every presence change of these users from now on.</summary>
    /// <returns>The present presence of each, in that order.</returns>
    /// <exception cref="OperationCanceledException">The connection has ended.</exception>
    public async Task<PresenceSnapshot[]> WatchAsync(LiveConnection connection, IReadOnlyList<Guid> userIds)
    {
        foreach (var userId in userIds)
        {
            AddWatcher(connection, userId);
            if (WatchList.Of(connection).TryWatch(userId)) continue;
            RemoveWatcher(connection, userId);
            throw IsOver();
        }

        // The users are added to the tables of all silos and then read, so that no change is missed in between.
        Guid[] unread = [.. userIds.Where(userId => !IsRead(userId)).Distinct()];
        if (unread.Length > 0)
        {
            await ReachTablesAsync(journal.Add(unread));
            foreach (var presence in await presences.ReadAsync(unread)) await TakeReadAsync(presence);
        }

        return [.. userIds.Select(userId => Known(userId) ?? throw IsOver())];
    }

    /// <summary>Ends one watch.</summary>
    public void Unwatch(LiveConnection connection, Guid userId)
    {
        if (WatchList.Of(connection).TryUnwatch(userId)) RemoveWatcher(connection, userId);
    }

    /// <summary>
    /// Ends one watch because the policy forbids it. The client that was notified so far is sent "offline" without a lastSeen, and its
    /// request is remembered.
    /// </summary>
    public void Hide(LiveConnection connection, Guid userId)
    {
        if (!WatchList.Of(connection).Hide(userId)) return;
        RemoveWatcher(connection, userId);
        connection.Outbox.Enqueue(userId, Message(PresenceResponse.Hidden(userId)));
    }

    /// <summary>Begins watches that the policy forbade so far, and sends the client the present state.</summary>
    /// <exception cref="OperationCanceledException">The connection has ended.</exception>
    public async Task ShowAsync(LiveConnection connection, IReadOnlyList<Guid> userIds)
    {
        foreach (var presence in await WatchAsync(connection, userIds))
            connection.Outbox.Enqueue(presence.UserId, Message(PresenceResponse.For(connection.UserId, presence)));
    }

    /// <summary>
    /// Ends all watches of an ended connection, including those of a call that is still running. Needs no call to a silo.
    /// </summary>
    public Task RemoveConnectionAsync(LiveConnection connection)
    {
        foreach (var userId in WatchList.Of(connection).UnwatchAll()) RemoveWatcher(connection, userId);
        return Task.CompletedTask;
    }

    /// <summary>Applies a snapshot from a silo, and notifies the watching sockets if the state differs.</summary>
    public void Apply(PresenceSnapshot presence)
    {
        if (TakeOrDoubt(presence, isRead: false)) _ = TryAskAsync(presence.UserId);
    }

    /// <summary>Whether other users see the watched user as offline. <see langword="null"/> while the presence is unknown.</summary>
    public bool? IsShownOffline(Guid userId) => Known(userId) is { } known ? known.Status == PresenceStatus.Offline : null;

    /// <summary>Reads the presence of these users from their grains again, in one call, and applies the answers.</summary>
    public async Task AskAsync(IEnumerable<Guid> userIds)
    {
        var known = userIds.Select(Known).OfType<PresenceSnapshot>().ToArray();
        foreach (var presence in await presences.ReadAsync([.. known.Select(one => one.UserId)], [.. known.Select(one => one.Version)])) Apply(presence);
    }

    private async Task ReachTablesAsync(long position)
    {
        try
        {
            await journal.ReachedAsync(position).WaitAsync(s_tablesWaitedFor, time);
        }
        catch (TimeoutException)
        {
            LogTablesLate();
        }
    }

    private async Task TakeReadAsync(PresenceSnapshot presence)
    {
        if (TakeOrDoubt(presence, isRead: true)) await TryAskAsync(presence.UserId);
    }

    /// <returns>Whether the user's grain must decide which of two states is the later one.</returns>
    private bool TakeOrDoubt(PresenceSnapshot presence, bool isRead)
    {
        if (!_watched.TryGetValue(presence.UserId, out var watched)) return false;
        lock (watched)
        {
            var wasRead = watched.IsRead;
            watched.IsRead |= isRead;
            if (watched.Known is not { } known)
            {
                watched.Known = presence;
                return false;
            }

            // The grain is new and has yet to hear from all front ends, so the known state counts.
            if (presence.IsProvisional) return false;

            // lastSeen only increases, and only a read is certain to have it.
            if (Later(known.LastSeenAt, presence.LastSeenAt) is var lastSeenAt && presence.LastSeenAt != lastSeenAt) presence = presence with { LastSeenAt = lastSeenAt };
            if (!wasRead && known.LastSeenAt != lastSeenAt) known = watched.Known = known with { LastSeenAt = lastSeenAt };

            // lastSeen is saved from time to time while a user is connected, and a new activation reads it. For watchers it changes when
            // the user goes offline.
            if (known.Status != PresenceStatus.Offline && presence.Status != PresenceStatus.Offline) presence = presence with { LastSeenAt = known.LastSeenAt };

            // lastSeen of a hidden user is read from the database, which may lack what the user's grain knows. The next watcher gets the
            // later value.
            if (presence.Version == known.Version && known with { LastSeenAt = presence.LastSeenAt } is var same && !Differs(same, presence))
            {
                watched.Known = same;
                return false;
            }

            // A different state with a lower version is late, or comes from a silo whose clock is behind. A state that was read may be
            // older than a change.
            var isLate = presence.Version <= known.Version;
            if (Differs(known, presence) && (isLate || isRead)) return !watched.IsAsking && (watched.IsAsking = true);
            if (isLate) return false;

            // Sockets wait for changes only after a read has been answered.
            if (wasRead) Notify(watched, known, presence);
            watched.Known = presence;
            return false;
        }
    }

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => other is null || one > other ? one : other;

    private static bool Differs(PresenceSnapshot one, PresenceSnapshot other) =>
        (one.Status, one.OwnStatus, one.Message, one.LastSeenAt) != (other.Status, other.OwnStatus, other.Message, other.LastSeenAt);

    private static void Notify(Watched watched, PresenceSnapshot before, PresenceSnapshot presence)
    {
        // Other users are notified only of changes that they may see. Otherwise they would see an invisible user connect and disconnect.
        var (others, own) = (PresenceResponse.From(presence), PresenceResponse.OwnFrom(presence));
        var toOthers = PresenceResponse.From(before) with { Version = others.Version } != others ? Message(others) : null;
        var toOneself = PresenceResponse.OwnFrom(before) with { Version = own.Version } != own ? Message(own) : null;

        // Written under the lock, so that two changes of one user keep their order.
        foreach (var watcher in watched.Watchers)
        {
            if ((watcher.UserId == presence.UserId ? toOneself : toOthers) is { } message) watcher.Outbox.Enqueue(presence.UserId, message);
        }
    }

    private async Task TryAskAsync(Guid userId)
    {
        PresenceSnapshot? presence = null;
        try
        {
            if (Known(userId) is { } known) presence = await users[userId].ReadPresenceAsync(known.Version);
        }
        catch (Exception e)
        {
            // The audit asks again.
            LogAskFailed(e.GetType().Name);
        }

        // Before the answer is applied, because that may begin to ask again.
        SetAsking(userId, false);
        if (presence is not null) Apply(presence);
    }

    private void SetAsking(Guid userId, bool isAsking)
    {
        if (!_watched.TryGetValue(userId, out var watched)) return;
        lock (watched) watched.IsAsking = isAsking;
    }

    private PresenceSnapshot? Known(Guid userId)
    {
        if (!_watched.TryGetValue(userId, out var watched)) return null;
        lock (watched) return watched.Known;
    }

    private bool IsRead(Guid userId)
    {
        if (!_watched.TryGetValue(userId, out var watched)) return false;
        lock (watched) return watched.IsRead;
    }

    private void AddWatcher(LiveConnection connection, Guid userId)
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

    private void RemoveWatcher(LiveConnection connection, Guid userId)
    {
        if (!_watched.TryGetValue(userId, out var watched)) return;
        lock (watched)
        {
            // The end of a connection and its last running call may both arrive here.
            if (!watched.Watchers.Remove(connection)) return;
            connection.Outbox.Discard(userId);
            if (watched.Watchers.Count > 0) return;
            watched.IsGone = true;
            _watched.TryRemove(userId, out _);
        }

        journal.Remove(userId);
    }

    private static OperationCanceledException IsOver() => new("The connection is over.");

    // Created once for all watchers. Its bytes are also created once, with the first send.
    private static SerializedHubMessage Message(PresenceResponse presence) => new(new InvocationMessage(nameof(IPresenceClient.PresenceChanged), [presence]));

    [LoggerMessage(2120, LogLevel.Debug, "A watched user's grain did not answer ({Reason}). It is called again.")]
    private partial void LogAskFailed(string reason);

    // 2121, retired: a change did not reach all watchers.

    [LoggerMessage(2122, LogLevel.Debug, "A silo did not accept a watch in time. It sends the missed changes once it answers.")]
    private partial void LogTablesLate();
}
