using Orleans.Concurrency;

namespace Pulse.Presence;

/// <summary>A front end, as grains call it. All sockets of the front end share one observer.</summary>
[Alias("pulse.IFrontEndObserver")]
public interface IFrontEndObserver : IGrainObserver
{
    /// <summary>
    /// The presence of a watched user has changed. The message may be lost with its silo, so front ends read again from time to time.
    /// </summary>
    [OneWay, Alias("PresenceChanged")]
    Task PresenceChanged(PresenceSnapshot presence);

    /// <summary>Closes these sockets of the user. The client is sent the reason first.</summary>
    [Alias("CloseConnectionsAsync")]
    Task CloseConnectionsAsync(string[] connectionIds, CloseReason reason);
}

/// <summary>Why the server closes a socket.</summary>
public enum CloseReason
{
    /// <summary>The sign-in session that its token belongs to has ended.</summary>
    SignedOut = 0,

    /// <summary>The user has more connections than allowed, and this was the oldest.</summary>
    TooManyConnections = 1,

    /// <summary>The client has opened another connection in place of this one. A client that is still running may connect again.</summary>
    Replaced = 2,

    /// <summary>The user was disabled or erased.</summary>
    UserRemoved = 3,

    /// <summary>An operator has closed it. The client may connect again.</summary>
    ClosedByOperator = 4,
}
