using Pulse.Presence;
using Pulse.Web.Connections;
using Pulse.Web.Presence;

namespace Pulse.Web.Hubs;

/// <summary>Handles the calls of grains to this process: changes of presence, and connections to close.</summary>
internal sealed class FrontEndObserver(ConnectionRegistry registry, PresenceWatches watches) : IFrontEndObserver
{
    public Task PresenceChanged(PresenceSnapshot presence)
    {
        watches.Apply(presence);
        return Task.CompletedTask;
    }

    private static SessionEndedMessage MessageFor(CloseReason reason) => reason switch
    {
        CloseReason.TooManyConnections => SessionEndedMessage.TooManyConnections,
        CloseReason.Replaced => SessionEndedMessage.Replaced,
        CloseReason.UserRemoved => SessionEndedMessage.UserRemoved,
        CloseReason.ClosedByOperator => SessionEndedMessage.ClosedByOperator,
        _ => SessionEndedMessage.SignedOut,
    };

    public Task CloseConnectionsAsync(string[] connectionIds, CloseReason reason)
    {
        // Answered before the sockets are closed: the grain's turn must not wait for clients, whose calls are refused from now on.
        registry.Close(connectionIds, MessageFor(reason));
        return Task.CompletedTask;
    }
}
