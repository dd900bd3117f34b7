namespace Pulse.Grains.Identity;

/// <summary>The <c>sessions</c> table. Only the sessions grain of a user asks it to write that user's rows; <see cref="SessionSweep"/> removes dead ones.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database does not answer in time, and may be repeated.</remarks>
internal interface ISessionStore
{
    /// <summary>The user's rows, expired ones included, in no order. One round trip.</summary>
    Task<IReadOnlyList<SessionRow>> ListAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>Adds a session and removes others of the same user: all of it or nothing.</summary>
    /// <returns><see langword="false"/>, and nothing is written, when the user has no row or is disabled.</returns>
    Task<bool> InsertAsync(SessionRow session, IReadOnlyCollection<Guid> ended, CancellationToken cancellationToken = default);

    /// <summary>Writes the row's latest use, expiry and address.</summary>
    /// <returns><see langword="false"/> when the row is gone: the session has ended.</returns>
    Task<bool> SlideAsync(SessionRow session, CancellationToken cancellationToken = default);

    /// <summary>Removes one session of the user; says whether it was there.</summary>
    Task<bool> DeleteAsync(Guid userId, Guid sessionId, CancellationToken cancellationToken = default);

    /// <summary>Removes all sessions of the user.</summary>
    Task DeleteAllAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>Removes the user's sessions that had run out by then.</summary>
    Task DeleteExpiredAsync(Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>Removes at most so many sessions, of anybody, that had run out by then; says how many.</summary>
    Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken = default);
}

/// <summary>One row of <c>sessions</c>. Times are UTC in whole microseconds.</summary>
/// <param name="TokenHash">SHA-256 of the cookie's secret, 32 bytes.</param>
/// <param name="Account">The account that opened it, as <see cref="Pulse.Identity.AccountKey"/> spells it; <see langword="null"/> if that is not known.</param>
internal sealed record SessionRow(
    Guid Id,
    Guid UserId,
    byte[] TokenHash,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastUsedAt,
    DateTimeOffset ExpiresAt,
    string? Device,
    string? Address,
    string? Account = null);
