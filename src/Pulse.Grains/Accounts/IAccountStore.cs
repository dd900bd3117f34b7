using Pulse.Accounts;

namespace Pulse.Grains.Accounts;

/// <summary>The <c>accounts</c> table, which maps external accounts to users.</summary>
/// <remarks>
/// Every method throws <see cref="StoreUnavailableException"/> when the database is unavailable or too slow, and is safe to repeat.
/// </remarks>
internal interface IAccountStore
{
    /// <summary>The user that an external account is linked to, or <see langword="null"/>.</summary>
    Task<AccountOwner?> FindAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default);

    /// <summary>A user's accounts, oldest first.</summary>
    Task<ExternalAccount[]> ListAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>The accounts that the user has unlinked and not linked again, oldest first, with the time of the unlink.</summary>
    Task<ExternalAccount[]> ListDeclinedAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Links an unlinked account to a user with a row, at the user's request. Returns the owner afterwards: this user, or the other user who
    /// already had it.
    /// </summary>
    Task<Guid> LinkAsync(ExternalAccount account, Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>Saves the address that the provider states for a user's account.</summary>
    Task SaveEmailAsync(string provider, string providerAccountId, Guid userId, string email, CancellationToken cancellationToken = default);

    /// <summary>
    /// Links an unlinked account to the user with this proven e-mail, unless that user has an account of the same provider, or has unlinked
    /// this account or the mailbox of that e-mail.
    /// </summary>
    /// <remarks>
    /// Within one provider only the account id identifies the person: two accounts with one address are two people, because the address was
    /// reassigned.
    /// </remarks>
    /// <returns>
    /// <see langword="null"/> if the account was left unlinked: the e-mail is unproven, or that user has another account of the provider,
    /// or another user owns the account by now.
    /// </returns>
    Task<Guid?> LinkByEmailAsync(ExternalAccount account, string email, DateTimeOffset now, CancellationToken cancellationToken = default);

    /// <summary>Whether any user has proven that address.</summary>
    Task<bool> IsProvenAsync(string email, CancellationToken cancellationToken = default);

    /// <summary>The mailbox accounts with ids above this one, in order, with their users.</summary>
    Task<IReadOnlyList<(string Mailbox, Guid UserId)>> ListMailboxesAsync(string after, int count, CancellationToken cancellationToken = default);

    /// <summary>Changes the spelling of a mailbox account's address.</summary>
    /// <returns><see langword="false"/>, and the database is unchanged, if an account with that spelling exists.</returns>
    Task<bool> RenameMailboxAsync(string mailbox, string spelling, CancellationToken cancellationToken = default);

    /// <summary>
    /// Finds the users of these accounts of one provider in one statement, by account id. The result omits unlinked accounts.
    /// </summary>
    Task<IReadOnlyDictionary<string, Guid>> FindManyAsync(
        string provider, IReadOnlyCollection<string> providerAccountIds, CancellationToken cancellationToken = default);

    /// <summary>
    /// Unlinks an account from a user unless it is the user's last, and remembers it, so that it does not join by itself again. If two calls
    /// unlink the last two accounts at once, one of them fails.
    /// </summary>
    Task<AccountLinkOutcome> UnlinkAsync(string provider, string providerAccountId, Guid userId, CancellationToken cancellationToken = default);
}

/// <summary>The owner of an external account.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Email">See <see cref="ExternalAccount.Email"/>.</param>
internal sealed record AccountOwner(Guid UserId, string? Email);
