using Orleans.Runtime;
using Orleans.Runtime.Messaging;

namespace Pulse.Web.Http;

/// <summary>Distinguishes an unavailable part, for which a caller should retry, from a fault.</summary>
internal static class TransientErrors
{
    /// <summary>
    /// Whether the exception means that the database or the silos are unavailable. The outcome of a write is then unknown, but every write
    /// here is safe to repeat.
    /// </summary>
    public static bool IsTransient(Exception exception) => exception
        is StoreUnavailableException or OrleansMessageRejectionException or ConnectionFailedException or GatewayTooBusyException or TimeoutException;
}
