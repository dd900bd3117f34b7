using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace Pulse.Web.Http;

/// <summary>Tells a part that is away, of which the caller should hear "try again", from a fault.</summary>
internal static class Unavailability
{
    /// <summary>Whether the exception means that the database or the silos do not answer. Whether a write took effect is unknown; every write here may be repeated.</summary>
    public static bool Covers(Exception exception) => exception
        is StoreUnavailableException or OrleansMessageRejectionException or ConnectionFailedException or GatewayTooBusyException or TimeoutException;
}
