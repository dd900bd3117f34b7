using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Web.Users;

/// <summary>Erases and disables users.</summary>
internal sealed class UserErasure(IGrainFactory grains)
{
    /// <summary>Erases the user: everything that is stored, and every socket. Repeating it does no harm.</summary>
    /// <returns><see langword="false"/> when there is no such user.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable, and nothing was erased.</exception>
    public async Task<bool> EraseAsync(Guid userId)
    {
        var user = grains.GetGrain<IUserGrain>(userId);
        var accounts = await user.ListAccountsAsync();
        if (!await user.EraseAsync()) return false;

        await Task.WhenAll(accounts.Select(account => ForgetOwnerAsync(account, userId)).Append(EndSessionsAsync(userId)));
        return true;
    }

    /// <summary>Disables or enables the user. Disabling ends all sessions.</summary>
    /// <returns><see langword="false"/> when there is no such user.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable, and nothing was changed.</exception>
    public async Task<bool> SetDisabledAsync(Guid userId, bool disabled)
    {
        if (!await grains.GetGrain<IUserGrain>(userId).SetDisabledAsync(disabled)) return false;
        if (disabled) await EndSessionsAsync(userId);
        return true;
    }

    // The row is gone. The account's grain may remember the user, and would answer for a later token of the same account.
    private async Task ForgetOwnerAsync(ExternalAccount account, Guid userId)
    {
        try
        {
            await grains.GetGrain<IAccountGrain>(new AccountKey(account.Provider, account.ProviderAccountId).ToString()).UnlinkAsync(userId);
        }
        catch (StoreUnavailableException)
        {
            // It forgets the user before it asks the database.
        }
    }

    // The rows no longer count; what is left is the memory of the grain that checks them, which reads them again by itself within seconds.
    private async Task EndSessionsAsync(Guid userId)
    {
        try
        {
            await grains.GetGrain<IUserSessionsGrain>(userId).EndAllAsync();
        }
        catch (StoreUnavailableException)
        {
            // Within seconds by itself, then.
        }
    }
}
