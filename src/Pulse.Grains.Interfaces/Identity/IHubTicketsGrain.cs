namespace Pulse.Identity;

/// <summary>The hub tickets of one user. Each ticket opens one connection. The key is the user id.</summary>
/// <remarks>The grain remembers used tickets in memory. If its silo dies, a used ticket can be used once more until it expires.</remarks>
[Alias("pulse.IHubTicketsGrain")]
public interface IHubTicketsGrain : IGrainWithGuidKey
{
    /// <summary>Uses a ticket. Works while the database is unavailable.</summary>
    /// <param name="ticketId">The ticket's id.</param>
    /// <param name="expiresAt">When the ticket expires, UTC. The grain remembers it until then.</param>
    /// <returns>
    /// <see langword="false"/> if the ticket was used before or has expired, or if the user has used 1,000 tickets within a minute.
    /// </returns>
    [Alias("UseAsync")]
    Task<bool> UseAsync(Guid ticketId, DateTimeOffset expiresAt);
}
