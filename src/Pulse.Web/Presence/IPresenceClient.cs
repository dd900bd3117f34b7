namespace Pulse.Web.Presence;

/// <summary>The messages from the server to a client about users' presence. The method names are the wire names.</summary>
/// <remarks>Public, with its messages, because SignalR implements it in an assembly that is generated at run time.</remarks>
public interface IPresenceClient
{
    /// <summary>
    /// A watched user's presence has changed. The message may overtake the answer of <c>WatchPresence</c>, so the higher version counts.
    /// </summary>
    Task PresenceChanged(PresenceResponse presence);
}
