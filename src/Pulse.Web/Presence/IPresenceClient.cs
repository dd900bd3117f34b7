namespace Pulse.Web.Presence;

/// <summary>What the server sends to a client about users' presence. The method names are the wire names.</summary>
public interface IPresenceClient
{
    /// <summary>A watched user's presence is another now. May overtake the answer of <c>WatchPresence</c>: the higher version counts.</summary>
    Task PresenceChanged(PresenceResponse presence);
}
