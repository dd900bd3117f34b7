using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Grains.Identity;

/// <summary>One external account: remembers which user it is. Key: <see cref="AccountKey"/>. Writes only who the account belongs to.</summary>
/// <remarks>What it remembers answers for requests; whoever signs in, links or unlinks goes by the database.</remarks>
internal sealed class AccountGrain(IAccountStore store, TimeProvider time) : Grain, IAccountGrain
{
    private Guid? _userId;

    private AccountKey Key => AccountKey.Parse(this.GetPrimaryKeyString());

    public async Task<Guid?> FindUserAsync() => _userId ??= await ReadUserAsync();

    public async Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update, string type)
    {
        if (await ReadUserAsync() is { } known) return await User(known).SyncProfileAsync(update);

        var joined = await JoinAsync(update, type);
        return joined is { Outcome: ProfileSyncOutcome.Updated, Profile.Id: var owner } ? await User(owner).SyncProfileAsync(update) : joined;
    }

    public async Task<ProfileSyncResult> SignInAsync(ProfileUpdate update, string type)
    {
        var (userId, isNewHere) = (await ReadUserAsync(), false);
        if (userId is null)
        {
            var joined = await JoinAsync(update, type);
            if (joined.Outcome != ProfileSyncOutcome.Updated) return joined;
            (userId, isNewHere) = (joined.Profile!.Id, true);
        }

        var user = User(userId.Value);
        return await user.GetProfileAsync() is not { } profile ? throw new InvalidOperationException("An account's user has no row.")
            : Lacking(profile, update, isNewHere) is { } lacking ? await user.SyncProfileAsync(lacking)
            : new(ProfileSyncOutcome.Updated, profile);
    }

    public async Task<AccountLinkOutcome> LinkAsync(Guid userId, string type)
    {
        _userId = await store.LinkAsync(ToAccount(type), userId, time.GetUtcNow());
        return _userId == userId ? AccountLinkOutcome.Linked : AccountLinkOutcome.TakenByAnother;
    }

    public async Task<AccountLinkOutcome> UnlinkAsync(Guid userId)
    {
        // Forgotten first: after a timeout the account may be anybody's.
        _userId = null;
        return await store.UnlinkAsync(Key.Provider, Key.ProviderAccountId, userId);
    }

    /// <summary>Makes a user for an account that nobody has, or finds the one that it is linked to now.</summary>
    /// <returns><see cref="ProfileSyncOutcome.Updated"/> with the profile of a user who was there before; nothing has been written to it.</returns>
    private async Task<ProfileSyncResult> JoinAsync(ProfileUpdate update, string type)
    {
        var newId = Guid.CreateVersion7(time.GetUtcNow());
        var result = await User(newId).CreateWithAccountAsync(update, ToAccount(type));
        if (result.Outcome == ProfileSyncOutcome.Created) _userId = newId;

        Guid? owner = result.Outcome switch
        {
            // A second activation of this grain was faster: its user is the one.
            ProfileSyncOutcome.AccountTaken => await ReadUserAsync(),

            // Both sides have proven the address, or it stays taken. Nothing linked may also mean that a second activation has just done it.
            ProfileSyncOutcome.EmailTaken when update.EmailVerified =>
                await store.LinkByEmailAsync(ToAccount(type), update.Email!, time.GetUtcNow()) ?? await ReadUserAsync(),
            _ => null,
        };
        if (owner is null) return result;

        _userId = owner;
        return await User(owner.Value).GetProfileAsync() is { } profile ? new(ProfileSyncOutcome.Updated, profile) : result;
    }

    /// <summary>What a sign-in may add to a profile: proof of its address and, when the account is newly linked, what the profile lacks.</summary>
    private static ProfileUpdate? Lacking(UserProfile profile, ProfileUpdate update, bool isNewHere)
    {
        var proves = update.EmailVerified && !profile.EmailVerified && update.Email == profile.Email;
        var avatar = isNewHere && profile.Avatar is null ? update.Avatar : null;
        return proves || avatar is not null ? new() { Email = proves ? update.Email : null, EmailVerified = proves, Avatar = avatar } : null;
    }

    private async Task<Guid?> ReadUserAsync() => _userId = await store.FindUserAsync(Key.Provider, Key.ProviderAccountId);

    private ExternalAccount ToAccount(string type) => new() { Provider = Key.Provider, ProviderAccountId = Key.ProviderAccountId, Type = type };

    private IUserGrain User(Guid userId) => GrainFactory.GetGrain<IUserGrain>(userId);
}
