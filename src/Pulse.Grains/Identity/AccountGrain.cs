using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Users;
using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Grains.Identity;

/// <summary>One external account: remembers which user it is. Key: <see cref="AccountKey"/>. Writes only who the account belongs to.</summary>
/// <remarks>What it remembers answers for requests; whoever signs in, links or unlinks goes by the database.</remarks>
[GrainType("account")]
internal sealed class AccountGrain(IAccountStore store, IUserStore users, TimeProvider time) : Grain, IAccountGrain
{
    // The provider of accounts that are a mailbox; the account id is the address.
    private const string MailboxProvider = "email";

    private Guid? _userId;

    private AccountKey Key => AccountKey.Parse(this.GetPrimaryKeyString());

    public async Task<Guid?> FindUserAsync() => _userId ??= await ReadUserAsync();

    public Task<DateTimeOffset?> FindErasureAsync() => users.FindTombstoneAsync(AccountTombstone.IdOf(Key));

    public async Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update, string type)
    {
        if (await ReadOwnerAsync() is { } known) return await UpdateAsync(known, update);

        // The account's former user was erased: a token from before that does not bring the user back.
        if (await FindErasureAsync() is { } erasedAt)
        {
            if (!(update.TokenIssuedAt > erasedAt)) return new(ProfileSyncOutcome.Erased);
            update = update with { TokensNotBefore = erasedAt };
        }

        var joined = await JoinAsync(update, type);
        return joined is { Outcome: ProfileSyncOutcome.Updated, Profile.Id: var owner } ? await User(owner).SyncProfileAsync(update) : joined;
    }

    public async Task<ProfileSyncResult> SignInAsync(ProfileUpdate update, string type)
    {
        // An owner without a row is being erased.
        if (await ReadOwnerAsync() is not { } owner || await User(owner.UserId).GetProfileAsync() is not { } profile)
        {
            var joined = await JoinAsync(update, type);
            if (joined is not { Outcome: ProfileSyncOutcome.Updated, Profile: { } found }) return joined;
            if (found.DisabledAt is not null) return new(ProfileSyncOutcome.Disabled);
            return ForNewAccount(found, update) is { } lacking ? await User(found.Id).SyncProfileAsync(lacking) : joined;
        }

        if (profile.DisabledAt is not null) return new(ProfileSyncOutcome.Disabled);
        var user = User(owner.UserId);
        var followsEmail = await FollowsEmailAsync(profile, owner, update, user);
        var refreshed = Refreshed(profile, update, followsEmail);
        var result = refreshed is null ? new(ProfileSyncOutcome.Updated, profile) : await user.SyncProfileAsync(refreshed);

        // Another user has proven the new address: this one keeps the former, and signs in all the same.
        if (result.Outcome == ProfileSyncOutcome.EmailTaken) return await user.SyncProfileAsync(refreshed! with { Email = null, EmailVerified = false });

        // After the profile: saved before it, and then interrupted, the account's former address would not show that the user's was this account's.
        if (update.Email is { } email && email != owner.Email) await store.SaveEmailAsync(Key.Provider, Key.ProviderAccountId, owner.UserId, email);
        if (!profile.EmailVerified || result.Profile?.Email == profile.Email) return result;

        // The former mailbox is no longer this person's word: whoever gets it next must not sign in by it. This account is another way in.
        await store.UnlinkAsync(MailboxProvider, profile.Email, owner.UserId);
        return result with { FormerEmail = profile.Email };
    }

    public async Task<bool> HasUserAsync() => await FindUserAsync() is not null || await store.IsProvenAsync(Key.ProviderAccountId);

    public async Task<AccountLinkOutcome> LinkAsync(Guid userId, string type)
    {
        _userId = await store.LinkAsync(ToAccount(type, email: null), userId, time.GetUtcNow());
        return _userId == userId ? AccountLinkOutcome.Linked : AccountLinkOutcome.TakenByAnother;
    }

    public async Task<AccountLinkOutcome> UnlinkAsync(Guid userId)
    {
        // Forgotten first: after a timeout the account may be anybody's.
        _userId = null;
        return await store.UnlinkAsync(Key.Provider, Key.ProviderAccountId, userId);
    }

    private async Task<ProfileSyncResult> UpdateAsync(AccountOwner owner, ProfileUpdate update)
    {
        if (update is { EmailVerified: true, Email: { } email } && email != owner.Email)
            await store.SaveEmailAsync(Key.Provider, Key.ProviderAccountId, owner.UserId, email);

        // As at a sign-in: a proven address of another user is not followed, and keeps nobody out.
        var user = User(owner.UserId);
        var result = await user.SyncProfileAsync(update);
        return result.Outcome == ProfileSyncOutcome.EmailTaken ? await user.SyncProfileAsync(update with { Email = null, EmailVerified = false }) : result;
    }

    /// <summary>Makes a user for an account that nobody has, or finds the one that it is linked to now.</summary>
    /// <returns><see cref="ProfileSyncOutcome.Updated"/> with the profile of a user who was there before; nothing has been written to it.</returns>
    private async Task<ProfileSyncResult> JoinAsync(ProfileUpdate update, string type)
    {
        var newId = Guid.CreateVersion7(time.GetUtcNow());
        var result = update.KnownUserOnly
            ? new(ProfileSyncOutcome.SignUpRefused)
            : await User(newId).CreateWithAccountAsync(update, ToAccount(type, update.Email));
        if (result.Outcome == ProfileSyncOutcome.Created) _userId = newId;

        Guid? owner = result.Outcome switch
        {
            // A second activation of this grain was faster: its user is the one.
            ProfileSyncOutcome.AccountTaken => (await ReadOwnerAsync())?.UserId,

            // Both sides have proven the address. A mailbox joins always: front ends of versions before JoinsByEmail do not say so. Nothing linked may also mean that a second activation has just done it.
            ProfileSyncOutcome.EmailTaken or ProfileSyncOutcome.SignUpRefused when update.EmailVerified && (update.JoinsByEmail || Key.Provider == MailboxProvider) =>
                await store.LinkByEmailAsync(ToAccount(type, update.Email), update.Email!, time.GetUtcNow()) ?? (await ReadOwnerAsync())?.UserId,
            _ => null,
        };
        if (owner is null) return result;

        _userId = owner;
        return await User(owner.Value).GetProfileAsync() is { } profile ? new(ProfileSyncOutcome.Updated, profile) : result;
    }

    /// <summary>What an account that has just joined adds to a profile: the picture that it lacks.</summary>
    private static ProfileUpdate? ForNewAccount(UserProfile profile, ProfileUpdate update) =>
        profile.Avatar is null && update.Avatar is not null ? new() { Avatar = update.Avatar, FromSignIn = true } : null;

    /// <summary>Whether the user's address is this account's to change: it was the account's former address, or the account is the user's only one.</summary>
    /// <remarks>Otherwise two accounts with different addresses would swap them at each sign-in.</remarks>
    private static async Task<bool> FollowsEmailAsync(UserProfile profile, AccountOwner owner, ProfileUpdate update, IUserGrain user)
    {
        if (!update.EmailVerified || (update.Email == profile.Email && profile.EmailVerified)) return false;
        if (update.Email == profile.Email || !profile.EmailVerified || owner.Email == profile.Email) return true;

        // Accounts of versions before their address was saved.
        return owner.Email is null && (await user.ListAccountsAsync()).Length == 1;
    }

    /// <summary>What a sign-in by a known account changes; the user's grain leaves out what the user has edited.</summary>
    private static ProfileUpdate? Refreshed(UserProfile profile, ProfileUpdate update, bool followsEmail)
    {
        // An account of a mailbox, or one of several that belongs to another address, says nothing about the person's name.
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
