namespace Pulse.Web.Connections;

/// <summary>The messages from the server to a client about its connection. The method names are the wire names.</summary>
/// <remarks>Public, with its messages, because SignalR implements it in an assembly that is generated at run time.</remarks>
public interface IConnectionClient
{
    /// <summary>First message on every connection.</summary>
    Task Connected(ConnectedMessage message);

    /// <summary>
    /// The connection's token is about to expire. The client must call <c>Reauthenticate</c> with a new one, or the connection is closed.
    /// </summary>
    Task TokenExpiring(TokenExpiringMessage message);

    /// <summary>Last message before the server closes the connection.</summary>
    Task SessionEnded(SessionEndedMessage message);
}

/// <summary>The connection is established and the user is online.</summary>
/// <param name="UserId">The token's user.</param>
/// <param name="ConnectionId">This connection's id.</param>
/// <param name="HeartbeatSeconds">Interval of <c>Heartbeat()</c> calls, seconds.</param>
/// <param name="LogId">One value per database, which restoring a backup changes. <see langword="null"/> if the database has been unavailable since the
/// front end started.</param>
public sealed record ConnectedMessage(Guid UserId, string ConnectionId, int HeartbeatSeconds, Guid? LogId);

/// <summary>Remaining validity of the connection's token.</summary>
/// <param name="SecondsLeft">Whole seconds, at least 0.</param>
public sealed record TokenExpiringMessage(int SecondsLeft);

/// <summary>The reason for which the server closes the connection.</summary>
/// <param name="Reason"><c>signed-out</c>, <c>token-expired</c>, <c>too-many-connections</c>, <c>server-stopping</c>, <c>replaced</c>,
/// <c>user-removed</c> or <c>closed-by-operator</c>.</param>
/// <param name="MayReconnect">Whether a new connection with a valid token can succeed.</param>
public sealed record SessionEndedMessage(string Reason, bool MayReconnect)
{
    public static readonly SessionEndedMessage SignedOut = new("signed-out", MayReconnect: false);
    public static readonly SessionEndedMessage TokenExpired = new("token-expired", MayReconnect: true);
    public static readonly SessionEndedMessage TooManyConnections = new("too-many-connections", MayReconnect: false);
    public static readonly SessionEndedMessage ServerStopping = new("server-stopping", MayReconnect: true);
    public static readonly SessionEndedMessage Replaced = new("replaced", MayReconnect: true);
    public static readonly SessionEndedMessage UserRemoved = new("user-removed", MayReconnect: false);
    public static readonly SessionEndedMessage ClosedByOperator = new("closed-by-operator", MayReconnect: true);
}
