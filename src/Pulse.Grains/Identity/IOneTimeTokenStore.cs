namespace Pulse.Grains.Identity;

/// <summary>The <c>verification_tokens</c> table: tokens that were sent by mail and prove, once, that the mail arrived.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database is unavailable or too slow.</remarks>
internal interface IOneTimeTokenStore
{
    /// <summary>Adds a token unless the identifier already has <paramref name="atMost"/> valid tokens.</summary>
    /// <returns>Whether the token is stored. Adding a stored token again is harmless.</returns>
    Task<bool> AddAsync(OneTimeToken token, int atMost, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>The token with that hash, valid or expired, or <see langword="null"/>.</summary>
    Task<OneTimeToken?> FindAsync(byte[] hash, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes a valid token in one statement. Of any number of callers one gets its identifier, the others <see langword="null"/>.
    /// </summary>
    Task<string?> ConsumeAsync(byte[] hash, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>Deletes every token of that identifier.</summary>
    Task RemoveAllAsync(string identifier, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes at most <paramref name="limit"/> tokens that expired <see cref="OneTimeTokenTable.Remembered"/> before
    /// <paramref name="now"/>, and returns their number.
    /// </summary>
    Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken = default);
}

/// <summary>One row of <c>verification_tokens</c>.</summary>
/// <param name="Identifier">The recipient, a normalized e-mail address.</param>
/// <param name="Hash">SHA-256 of the token.</param>
/// <param name="ExpiresAt">Time until which the token is valid, UTC.</param>
internal sealed record OneTimeToken(string Identifier, byte[] Hash, DateTimeOffset ExpiresAt);
