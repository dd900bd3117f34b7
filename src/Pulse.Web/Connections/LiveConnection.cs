using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Pulse.Presence;
using Pulse.Web.Auth;

namespace Pulse.Web.Connections;

/// <summary>One socket of this front end. It lives as long as the socket and is found through the connection's features.</summary>
internal sealed class LiveConnection(HubCallerContext context, Guid userId, Caller caller, DateTimeOffset now)
{
    /// <summary>Status changes per second of one connection. Each change is a message to all watchers.</summary>
    public const int StatusesPerSecond = 20;

    /// <summary>Status changes of one connection in a burst.</summary>
    public const int StatusesAtOnce = 200;

    // SignalR handles one invocation of a connection at a time, so state that only the client's calls use needs no lock. The last call may
    // still run while the connection's end is handled.
    private Budget _statuses = new(StatusesPerSecond, StatusesAtOnce);

    // The default timestamp, so that any status set on another connection wins.
    private Chosen _chosen = new(PresenceStatus.Online, null, default);

    private long _activeAtTicks = now.UtcTicks;
    private SessionEndedMessage? _endedBecause;
    private bool _isGreeted;
    private int _isClosing;

    private readonly HubConnectionContext _socket = context.Features.Get<HubConnectionContext>()!;

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
    public bool IsWarnedOfExpiry { get; set; }

    /// <summary>The reason if the server closes the socket, otherwise <see langword="null"/>.</summary>
    public SessionEndedMessage? EndedBecause => _endedBecause;

    /// <summary>Whether the client was sent its first message.</summary>
    public bool IsGreeted
    {
        get => Volatile.Read(ref _isGreeted);
        set => Volatile.Write(ref _isGreeted, value);
    }

    /// <summary>The latest call of the client, UTC.</summary>
    public DateTimeOffset ActiveAt => new(Volatile.Read(ref _activeAtTicks), TimeSpan.Zero);

    /// <summary>Records a call of the client, which counts as activity.</summary>
    public void NoteCall(DateTimeOffset at) => Volatile.Write(ref _activeAtTicks, at.UtcTicks);

    /// <summary>Counts a change of status.</summary>
    /// <returns><see langword="false"/> if it comes too soon.</returns>
    public bool TrySpendStatus(DateTimeOffset at) => _statuses.TrySpend(at, 1);

    /// <summary>The state of the features that use this connection. Each feature sets its own when the connection begins.</summary>
    public IFeatureCollection Features => context.Features;

    /// <summary>Sends a message to the client, after the messages that are already queued at the socket.</summary>
    public Task SendAsync(string method, object message) => _socket.WriteAsync(new InvocationMessage(method, [message])).AsTask();

    /// <summary>The queue of messages that the client has not received yet.</summary>
    public Outbox Outbox { get; } = new(context.Features.Get<HubConnectionContext>()!);

    /// <summary>Records the client's new status.</summary>
    public void SetStatus(PresenceStatus status, string? message, DateTimeOffset at) => _chosen = new(status, message, at);

    /// <summary>Replaces the token by another one of the same user.</summary>
    public void Reauthorize(Caller renewed, DateTimeOffset at)
    {
        // A token with the same expiry causes no second warning, because the client may lack a newer one and would send it again and again.
        var isLater = renewed.ExpiresAt > _authorization.ExpiresAt;
        _authorization = Authorization.Of(renewed, at);
        if (isLater) IsWarnedOfExpiry = false;
    }

    /// <summary>Decides that the server closes the socket.</summary>
    /// <returns><see langword="false"/> if that is already decided.</returns>
    public bool TryEnd(SessionEndedMessage because)
    {
        if (Interlocked.CompareExchange(ref _endedBecause, because, null) is not null) return false;
        Outbox.Stop();
        return true;
    }

    /// <summary>Whether the socket is to be closed now: that is decided, and the client was sent its first message.</summary>
    /// <returns><see langword="true"/> once.</returns>
    public bool TryClose()
    {
        // One of the two that call this after their own change sees the change of the other.
        Interlocked.MemoryBarrier();
        return IsGreeted && _endedBecause is not null && Interlocked.Exchange(ref _isClosing, 1) == 0;
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
            ActiveAt = ActiveAt,
        };
    }
}
