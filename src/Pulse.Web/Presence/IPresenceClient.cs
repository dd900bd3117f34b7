namespace Pulse.Web.Presence;

/// <summary>What the server sends to a client. The method names are the wire names.</summary>
public interface IPresenceClient
{
    /// <summary>First message on every connection.</summary>
    Task Connected(ConnectedMessage message);
}

/// <summary>The connection is made and the user online.</summary>
/// <param name="UserId">Who the token says this is.</param>
/// <param name="ConnectionId">This connection's id.</param>
/// <param name="HeartbeatSeconds">How often to call <c>Heartbeat()</c>, seconds.</param>
public sealed record ConnectedMessage(Guid UserId, string ConnectionId, int HeartbeatSeconds);
