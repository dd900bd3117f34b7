using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Pulse.Presence;
using Pulse.Web.Auth;

namespace Pulse.Web.Connections;

/// <summary>One socket that this front end holds. Lives as long as the socket; found through the connection's features.</summary>
internal sealed class LiveConnection(HubCallerContext context, Guid userId, Caller caller, DateTimeOffset now)
{
    /// <summary>How often one connection may set its status, per second: each is a message to all who watch.</summary>
    public const int StatusesPerSecond = 20;

    /// <summary>How often it may at once.</summary>
    public const int StatusesAtOnce = 200;

    // SignalR handles one invocation of a connection at a time: what only the client's calls touch needs no guard. Their last one may still run while the
    // connection's end is handled.
    private Budget _statuses = new(StatusesPerSecond, StatusesAtOnce);

    // Set at no time: what the user chose on another connection goes before it.
    private Chosen _chosen = new(PresenceStatus.Online, null, default);

    private long _activeAtTicks = now.UtcTicks;
    private SessionEndedMessage? _endedBecause;

    private readonly HubConnectionContext _socket = context.Features.Get<HubConnectionContext>()!;
    private readonly ChangesToTell _changes = new(context.Features.Get<HubConnectionContext>()!);

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

    /// <summary>What features keep for this connection; each sets its own when the connection begins.</summary>
    public IFeatureCollection Features => context.Features;

    /// <summary>Sends a message to the client, after what is queued at the socket already.</summary>
    public Task SendAsync(string method, object message) => _socket.WriteAsync(new InvocationMessage(method, [message])).AsTask();

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
