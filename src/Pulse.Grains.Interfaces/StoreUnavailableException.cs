namespace Pulse;

/// <summary>The database did not answer; nothing is known to have been written. Trying again later can help.</summary>
[GenerateSerializer, Alias("pulse.StoreUnavailableException")]
public sealed class StoreUnavailableException : Exception
{
    /// <summary>Makes one that keeps the cause's text: the driver's own exception type stays at the store, since callers need not have it.</summary>
    /// <param name="cause">The driver's message, without connection string.</param>
    public StoreUnavailableException(string cause) : base($"The database is unavailable: {cause}")
    {
    }
}
