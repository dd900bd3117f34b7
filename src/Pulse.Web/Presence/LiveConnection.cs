using Microsoft.AspNetCore.SignalR;
using Pulse.Presence;
using Pulse.Web.Auth;

namespace Pulse.Web.Presence;

/// <summary>One socket that this front end holds. Lives as long as the socket; found through the connection's features.</summary>
internal sealed class LiveConnection(HubCallerContext context, Guid userId, Caller caller, DateTimeOffset now)
{
    // SignalR handles one invocation of a connection at a time: what only the client's calls touch needs no guard. Their last one may still run while the
    // connection's end is handled.
    private Budget _statuses = new(PresenceHub.StatusesPerSecond, PresenceHub.StatusesAtOnce);

    // Set at no time: what the user chose on another connection goes before it.
    private Chosen _chosen = new(PresenceStatus.Online, null, default);

    private long _activeAtTicks = now.UtcTicks;
    private SessionEndedMessage? _endedBecause;

    // Guards itself, _hidden and _isOver.
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

    /// <summary>When the token runs out, UTC.</summary>
    public DateTimeOffset TokenExpiresAt => _authorization.ExpiresAt;

    /// <summary>When the client is to be told that the token is about to run out, UTC.</summary>
    public DateTimeOffset WarnOfExpiryAt => _authorization.WarnAt;

    /// <summary>Whether the client has been told that this token is about to run out.</summary>
    public bool IsToldOfExpiry { get; set; }

    /// <summary>Why the server closes the socket itself, if it does.</summary>
    public SessionEndedMessage? EndedBecause => _endedBecause;

    /// <summary>Notes a call of the client, which counts as activity.</summary>
    public void NoteCall(DateTimeOffset at) => Volatile.Write(ref _activeAtTicks, at.UtcTicks);

    /// <summary>Counts a change of status.</summary>
    /// <returns><see langword="false"/> when it comes too soon.</returns>
    public bool TrySpendStatus(DateTimeOffset at) => _statuses.TrySpend(at, 1);

    /// <summary>How many users this connection would watch if it watched these too.</summary>
    public int CountWatched(Guid[] andThese)
    {
        lock (_watched) return _watched.Count + _hidden.Count + andThese.Distinct().Count(id => !_watched.Contains(id) && !_hidden.Contains(id));
    }

    /// <summary>Notes that the connection watches this user.</summary>
    /// <returns><see langword="false"/> when the connection is over: nobody would end that watch.</returns>
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

    /// <summary>Notes that it does not any more.</summary>
    /// <returns><see langword="false"/> when it did not.</returns>
    public bool TryUnwatch(Guid userId)
    {
        lock (_watched)
        {
            _hidden.Remove(userId);
            return _watched.Remove(userId);
        }
    }

    /// <summary>Notes that the client asked for a user whom it may not see now; ends the watch that there is, if any.</summary>
    /// <returns>Whether the connection watched the user.</returns>
    public bool Hide(Guid userId)
    {
        lock (_watched)
        {
            if (!_isOver) _hidden.Add(userId);
            return _watched.Remove(userId);
        }
    }

    /// <summary>The users that the client asked for: those that the connection watches, and those whom it may not see.</summary>
    public (Guid[] Watched, Guid[] Hidden) Asked()
    {
        lock (_watched) return ([.. _watched], [.. _hidden]);
    }

    /// <summary>The connection is over: it watches nobody from now on.</summary>
    /// <returns>Whom it watched.</returns>
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

    /// <summary>Tells the client of a change, unless it is told that the connection ends. Waits for nothing.</summary>
    public void Tell(Guid userId, SerializedHubMessage change) => _changes.Add(userId, change);

    /// <summary>Has the client not told what it has not been told of this user.</summary>
    public void DoNotTell(Guid userId) => _changes.Remove(userId);

    /// <summary>Takes what the client chose to show.</summary>
    public void SetStatus(PresenceStatus status, string? message, DateTimeOffset at) => _chosen = new(status, message, at);

    /// <summary>Takes a token of the same user.</summary>
    public void Reauthorize(Caller renewed, DateTimeOffset at)
    {
        // A token that ends when the present one does is not worth another warning: the client may have no newer one, and would hand it in
        // again and again.
        var isLater = renewed.ExpiresAt > _authorization.ExpiresAt;
        _authorization = Authorization.Of(renewed, at);
        if (isLater) IsToldOfExpiry = false;
    }

    /// <summary>Decides that the server closes the socket.</summary>
    /// <returns><see langword="false"/> when that is decided already.</returns>
    public bool TryEnd(SessionEndedMessage because)
    {
        if (Interlocked.CompareExchange(ref _endedBecause, because, null) is not null) return false;
        _changes.Stop();
        return true;
    }

    /// <summary>Closes the socket; what was sent before still arrives.</summary>
    public void Close() => context.Abort();

    /// <summary>Resets the network connection below the socket, for a client that takes nothing more.</summary>
    public void CutOff() => context.GetHttpContext()?.Abort();

    /// <summary>What the user's grain is told of this connection.</summary>
    /// <param name="frontEndId">This process.</param>
    /// <param name="seenAt">When the socket was last known to live, UTC.</param>
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
