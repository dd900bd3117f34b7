namespace Pulse.Grains.Identity;

/// <summary>The <c>verification_tokens</c> table: what was sent to somebody and proves, once, that it arrived.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database does not answer in time.</remarks>
internal interface IOneTimeTokenStore
{
    /// <summary>Adds a token unless <paramref name="atMost"/> of the same identifier are good.</summary>
    /// <returns>Whether it is there. Adding one that is there already does nothing.</returns>
    Task<bool> AddAsync(OneTimeToken token, int atMost, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>The token with that hash, good or late, or <see langword="null"/>.</summary>
    Task<OneTimeToken?> FindAsync(byte[] hash, CancellationToken cancellationToken = default);

    /// <summary>Takes a good token away, in one statement: of any number of callers one gets its identifier, the others <see langword="null"/>.</summary>
    Task<string?> ConsumeAsync(byte[] hash, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>Removes every token of that identifier.</summary>
    Task RemoveAllAsync(string identifier, CancellationToken cancellationToken = default);

    /// <summary>
    /// Removes at most so many tokens that expired <see cref="OneTimeTokenTable.Remembered"/> before <paramref name="now"/>; returns their
    /// number.
    /// </summary>
    Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken = default);
}

/// <summary>One row of <c>verification_tokens</c>.</summary>
/// <param name="Identifier">Whom it is for: a normalised e-mail address.</param>
/// <param name="Hash">SHA-256 of the token.</param>
/// <param name="ExpiresAt">When it stops being good, UTC.</param>
internal sealed record OneTimeToken(string Identifier, byte[] Hash, DateTimeOffset ExpiresAt);
