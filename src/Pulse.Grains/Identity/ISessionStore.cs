namespace Pulse.Grains.Identity;

/// <summary>
/// The <c>sessions</c> table. Only a user's sessions grain writes that user's rows. <see cref="SessionSweep"/> deletes expired ones.
/// </summary>
/// <remarks>
/// Every method throws <see cref="StoreUnavailableException"/> when the database is unavailable or too slow, and is safe to repeat.
/// </remarks>
internal interface ISessionStore
{
    /// <summary>The user's rows in any order, including expired ones. One round trip.</summary>
    Task<IReadOnlyList<SessionRow>> ListAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>Adds a session and deletes others of the same user in one transaction.</summary>
    /// <returns>
    /// <see langword="false"/>, and the database is unchanged, if the user is disabled or lacks a row, or if the account is not the user's.
    /// </returns>
    Task<bool> InsertAsync(SessionRow session, IReadOnlyCollection<Guid> ended, CancellationToken cancellationToken = default);

    /// <summary>Writes the row's latest use, expiry and address.</summary>
    /// <returns><see langword="false"/> if the row is missing, which means that the session has ended.</returns>
    Task<bool> SlideAsync(SessionRow session, CancellationToken cancellationToken = default);

    /// <summary>Deletes one session of the user, and returns whether it existed.</summary>
    Task<bool> DeleteAsync(Guid userId, Guid sessionId, CancellationToken cancellationToken = default);

    /// <summary>Deletes all sessions of the user.</summary>
    Task DeleteAllAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>Deletes the user's sessions that had expired at that time.</summary>
    Task DeleteExpiredAsync(Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes at most <paramref name="limit"/> sessions, of any user, that had expired at that time. Returns their number.
    /// </summary>
    Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken = default);
}

/// <summary>One row of <c>sessions</c>. Times are UTC in whole microseconds.</summary>
/// <param name="TokenHash">SHA-256 of the cookie's secret, 32 bytes.</param>
/// <param name="Account">The account that signed in, in the format of <see cref="Pulse.Identity.AccountKey"/>. <see langword="null"/> if
/// unknown.</param>
/// <param name="IsOrphaned">Whether the account is no longer the user's. The session has ended.</param>
internal sealed record SessionRow(
    Guid Id,
    Guid UserId,
    byte[] TokenHash,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastUsedAt,
    DateTimeOffset ExpiresAt,
    string? Device,
    string? Address,
    string? Account = null,
    bool IsOrphaned = false);
