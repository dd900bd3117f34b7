using Pulse.Accounts;

namespace Pulse.Grains.Accounts;

/// <summary>The <c>accounts</c> table: which external account is which user.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database does not answer in time, and may be repeated.</remarks>
internal interface IAccountStore
{
    /// <summary>The user that an external account is linked to, or <see langword="null"/>.</summary>
    Task<AccountOwner?> FindAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default);

    /// <summary>A user's accounts, oldest first.</summary>
    Task<ExternalAccount[]> ListAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>Links an account that nobody has to a user who has a row; gives whose it is then: theirs, or another's as before.</summary>
    Task<Guid> LinkAsync(ExternalAccount account, Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>Saves the address that the provider gives for a user's account.</summary>
    Task SaveEmailAsync(string provider, string providerAccountId, Guid userId, string email, CancellationToken cancellationToken = default);

    /// <summary>Links an account that no user has to the user whose proven e-mail this is, unless that user has an account of the same provider.</summary>
    /// <remarks>Within one provider the account id alone is the person: two accounts with one address are two people, to one of whom it was re-issued.</remarks>
    /// <returns>
    /// <see langword="null"/> when nothing was linked: no user has proven that e-mail, or that user has another account of the provider, or the account is
    /// some user's by now.
    /// </returns>
    Task<Guid?> LinkByEmailAsync(ExternalAccount account, string email, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>Whether any user has proven that address.</summary>
    Task<bool> IsProvenAsync(string email, CancellationToken cancellationToken = default);

    /// <summary>The ids of accounts that are mailboxes, above this one, in order, and whose they are.</summary>
    Task<IReadOnlyList<(string Mailbox, Guid UserId)>> ListMailboxesAsync(string after, int count, CancellationToken cancellationToken = default);

    /// <summary>Gives an account that is a mailbox its address in another spelling.</summary>
    /// <returns><see langword="false"/>, and nothing is written, when there is an account with that spelling.</returns>
    Task<bool> RenameMailboxAsync(string mailbox, string spelling, CancellationToken cancellationToken = default);

    /// <summary>The users of those of a provider's accounts that any user has, by account id, in one statement.</summary>
    Task<IReadOnlyDictionary<string, Guid>> FindManyAsync(
        string provider, IReadOnlyCollection<string> providerAccountIds, CancellationToken cancellationToken = default);

    /// <summary>Takes an account from a user unless it is their last; of two such calls at once for the last two accounts, one fails.</summary>
    Task<AccountLinkOutcome> UnlinkAsync(string provider, string providerAccountId, Guid userId, CancellationToken cancellationToken = default);
}

/// <summary>Whose an external account is.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Email">See <see cref="ExternalAccount.Email"/>.</param>
internal sealed record AccountOwner(Guid UserId, string? Email);
