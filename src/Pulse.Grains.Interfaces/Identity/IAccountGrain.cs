using Pulse.Accounts;
using Pulse.Users;

namespace Pulse.Identity;

/// <summary>Answers which user an external account is, and makes that user when there is none. The key is <see cref="AccountKey"/>.</summary>
/// <remarks>
/// A cache with turns: the <c>accounts</c> table's unique constraint decides, so two activations at once do no harm. All concurrent first
/// sign-ins of one account meet here and make one user.
/// </remarks>
[Alias("pulse.IAccountGrain")]
public interface IAccountGrain : IGrainWithStringKey
{
    /// <summary>The user this account is linked to, or <see langword="null"/> when it was never synced.</summary>
    /// <exception cref="StoreUnavailableException">The database is away and the answer is not known here.</exception>
    [Alias("FindUserAsync")]
    Task<Guid?> FindUserAsync();

    /// <summary>When the account's former user was erased, UTC; <see langword="null"/> if none was.</summary>
    [Alias("FindErasureAsync")]
    Task<DateTimeOffset?> FindErasureAsync();

    /// <summary>Creates or updates the user of this account.</summary>
    /// <remarks>
    /// Within one provider the account id alone is the person. An account that no user has joins the user with its e-mail only if both sides have proven
    /// that address, <see cref="ProfileUpdate.JoinsByEmail"/> says so, and the user has no other account of the provider. Otherwise a proven address of
    /// another user gives <see cref="ProfileSyncOutcome.EmailTaken"/>. An address that is not proven joins nothing and takes nothing.
    /// </remarks>
    /// <param name="update">The profile that the token and the request give.</param>
    /// <param name="type">How the account was proven; see <see cref="ExternalAccount.Type"/>.</param>
    [Alias("SyncProfileAsync")]
    Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update, string type);

    /// <summary>As <see cref="SyncProfileAsync"/>, for a person at Pulse's own sign-in page.</summary>
    /// <remarks>
    /// The profile follows the provider: a proven change of address where the new one is free, name and picture unless the user has edited them. One of
    /// two accounts with different addresses does not swap them.
    /// </remarks>
    /// <param name="update">The profile that the provider gives.</param>
    /// <param name="type">How the account was proven; see <see cref="ExternalAccount.Type"/>.</param>
    [Alias("SignInAsync")]
    Task<ProfileSyncResult> SignInAsync(ProfileUpdate update, string type);

    /// <summary>For an account that is a mailbox: whether a user has it, or has proven its address, so that a sign-in by it needs no new user.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    [Alias("HasUserAsync")]
    Task<bool> HasUserAsync();

    /// <summary>Links this account to a user who is signed in and asked for it.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="type">See <see cref="ExternalAccount.Type"/>.</param>
    [Alias("LinkAsync")]
    Task<AccountLinkOutcome> LinkAsync(Guid userId, string type);

    /// <summary>Takes this account from a user who asked for it, unless it is their last.</summary>
    [Alias("UnlinkAsync")]
    Task<AccountLinkOutcome> UnlinkAsync(Guid userId);
}
