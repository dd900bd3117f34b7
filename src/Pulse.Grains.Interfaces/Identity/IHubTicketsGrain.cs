namespace Pulse.Identity;

/// <summary>The hub tickets of one user: each opens one connection. The key is the user id.</summary>
/// <remarks>Remembers used tickets in memory. If its silo dies, a ticket that was used can be used once more until it expires.</remarks>
[Alias("pulse.IHubTicketsGrain")]
public interface IHubTicketsGrain : IGrainWithGuidKey
{
    /// <summary>Uses a ticket. Needs no database.</summary>
    /// <param name="ticketId">The ticket's id.</param>
    /// <param name="expiresAt">When the ticket expires, UTC: it is remembered until then.</param>
    /// <returns><see langword="false"/> when the ticket was used before, or has expired.</returns>
    [Alias("UseAsync")]
    Task<bool> UseAsync(Guid ticketId, DateTimeOffset expiresAt);
}
