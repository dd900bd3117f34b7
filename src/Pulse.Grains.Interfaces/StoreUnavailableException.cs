namespace Pulse;

/// <summary>The database is unavailable, and the outcome of a write is unknown. A later retry can help.</summary>
[GenerateSerializer, Alias("pulse.StoreUnavailableException")]
public sealed class StoreUnavailableException : Exception
{
    /// <summary>
    /// Creates an exception with the cause's text. The driver's own exception type stays in the store, because callers may lack its
    /// assembly.
    /// </summary>
    /// <param name="cause">The driver's message, without connection string.</param>
    public StoreUnavailableException(string cause) : base($"The database is unavailable: {cause}")
    {
    }
}
