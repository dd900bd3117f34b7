using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Grains.Identity;

/// <summary>One external account: remembers which user it is. Key: <see cref="AccountKey"/>. Writes nothing itself.</summary>
internal sealed class AccountGrain(IAccountStore store, TimeProvider time) : Grain, IAccountGrain
{
    private Guid? _userId;

    private AccountKey Key => AccountKey.Parse(this.GetPrimaryKeyString());

    public async Task<Guid?> FindUserAsync() => _userId ??= await store.FindUserAsync(Key.Provider, Key.ProviderAccountId);

    public async Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update, string type)
    {
        if (await FindUserAsync() is { } known) return await GrainFactory.GetGrain<IUserGrain>(known).SyncProfileAsync(update);

        var (provider, providerAccountId) = Key;
        var account = new ExternalAccount { Provider = provider, ProviderAccountId = providerAccountId, Type = type };
        var newId = Guid.CreateVersion7(time.GetUtcNow());
        var result = await GrainFactory.GetGrain<IUserGrain>(newId).CreateWithAccountAsync(update, account);

        // A second activation of this grain was faster: its user is the one.
        if (result.Outcome == ProfileSyncOutcome.AccountTaken && await FindUserAsync() is { } winner)
        {
            return await GrainFactory.GetGrain<IUserGrain>(winner).SyncProfileAsync(update);
        }

        if (result.Profile is not null) _userId = newId;
        return result;
    }
}
