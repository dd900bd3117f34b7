using Microsoft.AspNetCore.SignalR;
using Pulse.Presence;
using Pulse.Web.Auth;

namespace Pulse.Web.Presence;

/// <summary>One socket of this front end. It lives as long as the socket and is found through the connection's features.</summary>
internal sealed class LiveConnection(HubCallerContext context, Guid userId, Caller caller, DateTimeOffset now)
{
    // SignalR handles one invocation of a connection at a time, so state that only the client's calls use needs no lock. The last call may
    // still run while the connection's end is handled.
    private Budget _statuses = new(PresenceHub.StatusesPerSecond, PresenceHub.StatusesAtOnce);

    // The default timestamp, so that any status set on another connection wins.
    private Chosen _chosen = new(PresenceStatus.Online, null, default);

    private long _activeAtTicks = now.UtcTicks;
    private SessionEndedMessage? _endedBecause;

    // Also the lock for _hidden and _isOver.
    private readonly HashSet<Guid> _watched = [];
    private readonly HashSet<Guid> _hidden = [];
    private readonly ChangesToTell _changes = new(context.Features.Get<HubConnectionContext>()!);
    private bool _isOver;

    private Authorization _authorization = Authorization.Of(caller, now);

    private sealed record Chosen(PresenceStatus Status, string? Message, DateTimeOffset SetAt);

    private sealed record Authorization(DateTimeOffset ExpiresAt, DateTimeOffset WarnAt, Guid? SessionId, DateTimeOffset? TrustedTokenIssuedAt)
    {
        public static Authorization Of(Caller caller, DateTimeOffset now) =>
            new(caller.ExpiresAt, TokenExpiry.WarnAt(caller.ExpiresAt, now), caller.OwnSessionId, caller.TrustedTokenIssuedAt);
    }

    public string ConnectionId { get; } = context.ConnectionId;

    public Guid UserId => userId;

    public DateTimeOffset ConnectedAt => now;

    /// <summary>When the token expires, UTC.</summary>
    public DateTimeOffset TokenExpiresAt => _authorization.ExpiresAt;

    /// <summary>When the client is warned that the token is about to expire, UTC.</summary>
    public DateTimeOffset WarnOfExpiryAt => _authorization.WarnAt;

    /// <summary>Whether the client has been warned that this token is about to expire.</summary>
    public bool IsToldOfExpiry { get; set; }

    /// <summary>The reason if the server closes the socket, otherwise <see langword="null"/>.</summary>
    public SessionEndedMessage? EndedBecause => _endedBecause;

    /// <summary>Records a call of the client, which counts as activity.</summary>
    public void NoteCall(DateTimeOffset at) => Volatile.Write(ref _activeAtTicks, at.UtcTicks);

    /// <summary>Counts a change of status.</summary>
    /// <returns><see langword="false"/> if it comes too soon.</returns>
    public bool TrySpendStatus(DateTimeOffset at) => _statuses.TrySpend(at, 1);

    /// <summary>The number of users that this connection would watch together with these.</summary>
    public int CountWatched(Guid[] andThese)
    {
        lock (_watched) return _watched.Count + _hidden.Count + andThese.Distinct().Count(id => !_watched.Contains(id) && !_hidden.Contains(id));
    }

    /// <summary>Records that the connection watches this user.</summary>
    /// <returns><see langword="false"/> if the connection has ended, because the watch would then never be removed.</returns>
    public bool TryWatch(Guid userId)
    {
        lock (_watched)
        {
            if (_isOver) return false;
            _hidden.Remove(userId);
            _watched.Add(userId);
            return true;
        }
    }

    /// <summary>Records that the connection stopped watching this user.</summary>
    /// <returns><see langword="false"/> if it did not watch the user.</returns>
    public bool TryUnwatch(Guid userId)
    {
        lock (_watched)
        {
            _hidden.Remove(userId);
            return _watched.Remove(userId);
        }
    }

    /// <summary>Records the client's request for a user that it may not see now, and ends an existing watch.</summary>
    /// <returns>Whether the connection watched the user.</returns>
    public bool Hide(Guid userId)
    {
        lock (_watched)
        {
            if (!_isOver) _hidden.Add(userId);
            return _watched.Remove(userId);
        }
    }

    /// <summary>The users of the client's requests: those that the connection watches, and those that it may not see.</summary>
    public (Guid[] Watched, Guid[] Hidden) Asked()
    {
        lock (_watched) return ([.. _watched], [.. _hidden]);
    }

    /// <summary>Ends all watches, because the connection has ended.</summary>
    /// <returns>The users that it watched.</returns>
    public Guid[] UnwatchAll()
    {
        lock (_watched)
        {
            _isOver = true;
            Guid[] all = [.. _watched];
            _watched.Clear();
            _hidden.Clear();
            return all;
        }
    }

    /// <summary>Sends the client a change, unless the connection is ending. Returns at once.</summary>
    public void Tell(Guid userId, SerializedHubMessage change) => _changes.Add(userId, change);

    /// <summary>Discards queued changes about this user.</summary>
    public void DoNotTell(Guid userId) => _changes.Remove(userId);

    /// <summary>Records the client's new status.</summary>
    public void SetStatus(PresenceStatus status, string? message, DateTimeOffset at) => _chosen = new(status, message, at);

    /// <summary>Replaces the token by another one of the same user.</summary>
    public void Reauthorize(Caller renewed, DateTimeOffset at)
    {
        // A token with the same expiry causes no second warning, because the client may have no newer one and would send it again and
        // again.
        var isLater = renewed.ExpiresAt > _authorization.ExpiresAt;
        _authorization = Authorization.Of(renewed, at);
        if (isLater) IsToldOfExpiry = false;
    }

    /// <summary>Decides that the server closes the socket.</summary>
    /// <returns><see langword="false"/> if that is already decided.</returns>
    public bool TryEnd(SessionEndedMessage because)
    {
        if (Interlocked.CompareExchange(ref _endedBecause, because, null) is not null) return false;
        _changes.Stop();
        return true;
    }

    /// <summary>Closes the socket. Earlier messages still arrive.</summary>
    public void Close() => context.Abort();

    /// <summary>Resets the network connection of a client that has stopped reading.</summary>
    public void CutOff() => context.GetHttpContext()?.Abort();

    /// <summary>The connection's lease, for the user's grain.</summary>
    /// <param name="frontEndId">This process.</param>
    /// <param name="seenAt">Latest time at which the socket was known to be live, UTC.</param>
    public ConnectionLease ToLease(string frontEndId, DateTimeOffset seenAt)
    {
        var chosen = _chosen;
        return new()
        {
            ConnectionId = ConnectionId,
            FrontEndId = frontEndId,
            SeenAt = seenAt,
            SessionId = _authorization.SessionId,
            TokenIssuedAt = _authorization.TrustedTokenIssuedAt,
            Status = chosen.Status,
            Message = chosen.Message,
            StatusSetAt = chosen.SetAt,
            ConnectedAt = now,
            ActiveAt = new(Volatile.Read(ref _activeAtTicks), TimeSpan.Zero),
        };
    }
}
