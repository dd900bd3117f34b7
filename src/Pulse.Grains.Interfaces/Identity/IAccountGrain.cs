using Pulse.Accounts;
using Pulse.Users;

namespace Pulse.Identity;

/// <summary>Finds the user of an external account, and creates a missing user. The key is <see cref="AccountKey"/>.</summary>
/// <remarks>
/// The grain is a cache that serializes calls. The unique constraint of the <c>accounts</c> table decides, so two simultaneous activations
/// are harmless. All concurrent first sign-ins of one account arrive at this grain and create one user.
/// </remarks>
[Alias("pulse.IAccountGrain")]
public interface IAccountGrain : IGrainWithStringKey
{
    /// <summary>The user of this account, or <see langword="null"/> if the account is new.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable and the answer is uncached.</exception>
    [Alias("FindUserAsync")]
    Task<Guid?> FindUserAsync();

    /// <summary>When the account's former user was erased, UTC. <see langword="null"/> if that never happened.</summary>
    [Alias("FindErasureAsync")]
    Task<DateTimeOffset?> FindErasureAsync();

    /// <summary>Creates or updates the user of this account.</summary>
    /// <remarks>
    /// Within one provider only the account id identifies the person. An unlinked account joins the user with its e-mail only if three
    /// conditions hold: both sides have proven that address, <see cref="ProfileUpdate.JoinsByEmail"/> is set, and the user has no other
    /// account of the provider. Otherwise another user's proven address results in <see cref="ProfileSyncOutcome.EmailTaken"/>. Only a proven
    /// address joins a user or takes an address.
    /// </remarks>
    /// <param name="update">The profile from the token and the request.</param>
    /// <param name="type">The kind of proof. See <see cref="ExternalAccount.Type"/>.</param>
    [Alias("SyncProfileAsync")]
    Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update, string type);

    /// <summary>As <see cref="SyncProfileAsync"/>, for a person at Pulse's own sign-in page.</summary>
    /// <remarks>
    /// The profile follows the provider: a proven change of address if the new one is free, and name and picture unless the user has edited
    /// them. If a user has two accounts with different addresses, a sign-in keeps the present one.
    /// </remarks>
    /// <param name="update">The profile from the provider.</param>
    /// <param name="type">The kind of proof. See <see cref="ExternalAccount.Type"/>.</param>
    [Alias("SignInAsync")]
    Task<ProfileSyncResult> SignInAsync(ProfileUpdate update, string type);

    /// <summary>
    /// For a mailbox account: whether it is linked to a user, or a user has proven its address, so that a sign-in needs no new user.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    [Alias("HasUserAsync")]
    Task<bool> HasUserAsync();

    /// <summary>Links this account to a signed-in user at the user's request.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="type">See <see cref="ExternalAccount.Type"/>.</param>
    [Alias("LinkAsync")]
    Task<AccountLinkOutcome> LinkAsync(Guid userId, string type);

    /// <summary>Unlinks this account at the user's request, unless it is the user's last.</summary>
    [Alias("UnlinkAsync")]
    Task<AccountLinkOutcome> UnlinkAsync(Guid userId);
}
