using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Users;
using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Grains.Identity;

/// <summary>
/// One external account: remembers the id of its user. Key: <see cref="AccountKey"/>. Writes only the owner of the account.
/// </summary>
/// <remarks>The remembered id answers requests. Signing in, linking and unlinking read the database.</remarks>
[GrainType("account")]
internal sealed class AccountGrain(IAccountStore store, IUserStore users, TimeProvider time) : Grain, IAccountGrain
{
    // The provider of accounts that are a mailbox. Their account id is the address.
    private const string MailboxProvider = "email";

    private Guid? _userId;

    private AccountKey Key => AccountKey.Parse(this.GetPrimaryKeyString());

    // A change of the user's address moves a mailbox without a call of this grain.
    public async Task<Guid?> FindUserAsync() => Key.Provider == MailboxProvider ? await ReadUserAsync() : _userId ??= await ReadUserAsync();

    public Task<DateTimeOffset?> FindErasureAsync() => users.FindTombstoneAsync(AccountTombstone.IdOf(Key));

    public async Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update, string type)
    {
        if (await ReadOwnerAsync() is { } known) return await UpdateAsync(known, update);

        // The account's former user was erased. Only a token from after the erasure may create a new user.
        if (await FindErasureAsync() is { } erasedAt)
        {
            if (!(update.TokenIssuedAt > erasedAt)) return new(ProfileSyncOutcome.Erased);
            update = update with { TokensNotBefore = erasedAt };
        }

        var joined = await JoinAsync(update, type);
        return joined is { Outcome: ProfileSyncOutcome.Updated, Profile.Id: var owner }
            ? await User(owner).SyncProfileAsync(update) with { Joined = joined.Joined }
            : joined;
    }

    public async Task<ProfileSyncResult> SignInAsync(ProfileUpdate update, string type)
    {
        // An owner without a row is being erased.
        if (await ReadOwnerAsync() is not { } owner || await User(owner.UserId).GetProfileAsync() is not { } profile)
        {
            var joined = await JoinAsync(update, type);
            if (joined is not { Outcome: ProfileSyncOutcome.Updated, Profile: { } found }) return joined;
            if (found.DisabledAt is not null) return new(ProfileSyncOutcome.Disabled);
            return ForNewAccount(found, update) is { } lacking ? await User(found.Id).SyncProfileAsync(lacking) with { Joined = joined.Joined } : joined;
        }

        if (profile.DisabledAt is not null) return new(ProfileSyncOutcome.Disabled);
        var user = User(owner.UserId);
        var followsEmail = await FollowsEmailAsync(profile, owner, update, user);
        var refreshed = Refreshed(profile, update, followsEmail);
        var result = refreshed is null ? new(ProfileSyncOutcome.Updated, profile) : await user.SyncProfileAsync(refreshed);

        // Another user has proven the new address. This user keeps the former one, and the sign-in succeeds.
        if (result.Outcome == ProfileSyncOutcome.EmailTaken) return await user.SyncProfileAsync(WithoutEmail(refreshed!));
        await SaveEmailAsync(owner, update);

        // A silo of an earlier version has changed the address only. Otherwise the mailbox is gone already.
        if (result.FormerEmail is { } former) await store.UnlinkAsync(MailboxProvider, former, owner.UserId);
        return result;
    }

    public async Task<bool> HasUserAsync() => await FindUserAsync() is not null || await store.IsProvenAsync(Key.ProviderAccountId);

    public async Task<AccountLinkOutcome> LinkAsync(Guid userId, string type)
    {
        _userId = await store.LinkAsync(ToAccount(type, email: null), userId, time.GetUtcNow());
        return _userId == userId ? AccountLinkOutcome.Linked : AccountLinkOutcome.TakenByAnother;
    }

    public async Task<AccountLinkOutcome> UnlinkAsync(Guid userId)
    {
        // Cleared first, because after a timeout any user may own the account.
        _userId = null;
        return await store.UnlinkAsync(Key.Provider, Key.ProviderAccountId, userId);
    }

    private async Task<ProfileSyncResult> UpdateAsync(AccountOwner owner, ProfileUpdate update)
    {
        var user = User(owner.UserId);
        var changes = update;
        if (update.EmailVerified && await user.GetProfileAsync() is { } profile && !await FollowsEmailAsync(profile, owner, update, user))
            changes = WithoutEmail(update);
        var result = await user.SyncProfileAsync(changes);

        // As at a sign-in.
        if (result.Outcome == ProfileSyncOutcome.EmailTaken) return await user.SyncProfileAsync(WithoutEmail(update));
        if (result.Outcome == ProfileSyncOutcome.Updated && update.EmailVerified) await SaveEmailAsync(owner, update);
        return result;
    }

    // After the profile. If it were before and the profile write failed, the account's former address would no longer show that the
    // user's address came from this account.
    private async Task SaveEmailAsync(AccountOwner owner, ProfileUpdate update)
    {
        if (update.Email is { } email && email != owner.Email) await store.SaveEmailAsync(Key.Provider, Key.ProviderAccountId, owner.UserId, email);
    }

    private static ProfileUpdate WithoutEmail(ProfileUpdate update) => update with { Email = null, EmailVerified = false };

    /// <summary>Creates a user for an unlinked account, or finds the user to which the account is linked now.</summary>
    /// <returns><see cref="ProfileSyncOutcome.Updated"/> with the unchanged profile if the user existed before.</returns>
    private async Task<ProfileSyncResult> JoinAsync(ProfileUpdate update, string type)
    {
        var newId = Guid.CreateVersion7(time.GetUtcNow());
        ProfileSyncResult result = update.KnownUserOnly
            ? new(ProfileSyncOutcome.SignUpRefused)
            : await User(newId).CreateWithAccountAsync(update, ToAccount(type, update.Email));
        if (result.Outcome == ProfileSyncOutcome.Created) _userId = newId;

        // Both sides have proven the address. A mailbox always joins, because older front ends lack JoinsByEmail.
        var mayJoin = result.Outcome is ProfileSyncOutcome.EmailTaken or ProfileSyncOutcome.SignUpRefused
            && update.EmailVerified && (update.JoinsByEmail || Key.Provider == MailboxProvider);
        var joined = mayJoin ? await store.LinkByEmailAsync(ToAccount(type, update.Email), update.Email!, time.GetUtcNow()) : null;

        // A second activation of this grain may have been faster. Then the account belongs to its user, and the link above has returned nothing.
        var owner = mayJoin || result.Outcome == ProfileSyncOutcome.AccountTaken ? joined ?? (await ReadOwnerAsync())?.UserId : null;
        if (owner is null) return result;

        _userId = owner;
        return await User(owner.Value).GetProfileAsync() is { } profile
            ? new(ProfileSyncOutcome.Updated, profile, Joined: joined is not null)
            : result;
    }

    /// <summary>The missing picture, which a newly joined account adds to a profile.</summary>
    private static ProfileUpdate? ForNewAccount(UserProfile profile, ProfileUpdate update) =>
        profile.Avatar is null && update.Avatar is not null ? new() { Avatar = update.Avatar, FromSignIn = true } : null;

    /// <summary>
    /// Whether this account may change the user's address: the address came from this account, or the account is the user's only one.
    /// </summary>
    /// <remarks>Otherwise two accounts with different addresses would swap them at each sign-in.</remarks>
    private static async Task<bool> FollowsEmailAsync(UserProfile profile, AccountOwner owner, ProfileUpdate update, IUserGrain user)
    {
        if (!update.EmailVerified || (update.Email == profile.Email && profile.EmailVerified)) return false;
        if (update.Email == profile.Email || !profile.EmailVerified || owner.Email == profile.Email) return true;

        // Accounts from before addresses were saved.
        return owner.Email is null && (await user.ListAccountsAsync()).Length == 1;
    }

    /// <summary>
    /// The changes by a sign-in with a known account. The user's grain ignores changes to values that the user has edited.
    /// </summary>
    private static ProfileUpdate? Refreshed(UserProfile profile, ProfileUpdate update, bool followsEmail)
    {
        // A mailbox account, or one of several accounts with another address, provides no information about the person's name.
        var isPrincipal = followsEmail || (update.Email is not null && update.Email == profile.Email);
        var (name, avatar) = isPrincipal ? (update.Name, update.Avatar) : (null, null);
        var changes = followsEmail || (name is not null && name != profile.Name) || (avatar is not null && avatar != profile.Avatar);
        return changes
            ? new() { Email = followsEmail ? update.Email : null, EmailVerified = followsEmail, Name = name, Avatar = avatar, FromSignIn = true }
            : null;
    }

    private async Task<Guid?> ReadUserAsync() => (await ReadOwnerAsync())?.UserId;

    private async Task<AccountOwner?> ReadOwnerAsync()
    {
        var owner = await store.FindAsync(Key.Provider, Key.ProviderAccountId);
        _userId = owner?.UserId;
        return owner;
    }

    private ExternalAccount ToAccount(string type, string? email) =>
        new() { Provider = Key.Provider, ProviderAccountId = Key.ProviderAccountId, Type = type, Email = Key.Provider == MailboxProvider ? Key.ProviderAccountId : email };

    private IUserGrain User(Guid userId) => GrainFactory.GetGrain<IUserGrain>(userId);
}
