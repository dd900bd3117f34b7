using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>The <c>accounts</c> table: which external account is which user.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database does not answer in time, and may be repeated.</remarks>
internal interface IAccountStore
{
    /// <summary>The user that an external account is linked to, or <see langword="null"/>.</summary>
    Task<Guid?> FindUserAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default);

    /// <summary>A user's accounts, oldest first.</summary>
    Task<ExternalAccount[]> ListAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>Links an account that nobody has to a user who has a row; gives whose it is then: theirs, or another's as before.</summary>
    Task<Guid> LinkAsync(ExternalAccount account, Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>Links an account that nobody has to the user whose verified e-mail this is, in one statement.</summary>
    /// <returns><see langword="null"/> when nothing was linked: nobody has that e-mail, or has not verified it, or the account is somebody's by now.</returns>
    Task<Guid?> LinkByEmailAsync(ExternalAccount account, string email, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>Takes an account from a user unless it is their last; of two such calls at once for the last two accounts, one fails.</summary>
    Task<AccountLinkOutcome> UnlinkAsync(string provider, string providerAccountId, Guid userId, CancellationToken cancellationToken = default);
}
