using Pulse.Accounts;
using Pulse.Conversations;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Http;

namespace Pulse.Web.Users;

/// <summary>Erases and disables users.</summary>
internal sealed class UserErasure(IGrainFactory grains)
{
    /// <summary>Erases the user: all stored data, and every socket. Safe to repeat.</summary>
    /// <returns><see langword="false"/> if the user is unknown.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable, and the user is unchanged.</exception>
    public async Task<bool> EraseAsync(Guid userId)
    {
        var user = grains.GetGrain<IUserGrain>(userId);
        var accounts = await user.ListAccountsAsync();
        if (!await user.EraseAsync()) return false;

        await Task.WhenAll(accounts.Select(account => ForgetOwnerAsync(account, userId)).Append(EndSessionsAsync(userId)).Append(EraseMessagesAsync(userId)));
        return true;
    }

    /// <summary>Disables or enables the user. Disabling ends all sessions.</summary>
    /// <returns><see langword="false"/> if the user is unknown.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable, and the user is unchanged.</exception>
    public async Task<bool> SetDisabledAsync(Guid userId, bool disabled)
    {
        if (!await grains.GetGrain<IUserGrain>(userId).SetDisabledAsync(disabled)) return false;
        if (disabled) await EndSessionsAsync(userId);
        return true;
    }

    // The row is deleted. The account's grain may still remember the user, and would return the id for a later token of the same account.
    private async Task ForgetOwnerAsync(ExternalAccount account, Guid userId)
    {
        try
        {
            await grains.GetGrain<IAccountGrain>(new AccountKey(account.Provider, account.ProviderAccountId).ToString()).UnlinkAsync(userId);
        }
        catch (StoreUnavailableException)
        {
            // The grain clears its memory before it calls the database.
        }
    }

    private async Task EraseMessagesAsync(Guid userId)
    {
        try
        {
            await grains.GetGrain<IConversationReaderGrain>(0).EraseAsync(userId);
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            // A silo continues within five minutes: the memberships that are left are its list of work.
        }
    }

    // The rows are invalid already. This call clears the memory of the grain that checks them. Without it the grain reads again within
    // seconds.
    private async Task EndSessionsAsync(Guid userId)
    {
        try
        {
            await grains.GetGrain<IUserSessionsGrain>(userId).EndAllAsync();
        }
        catch (StoreUnavailableException)
        {
            // The grain reads again by itself within seconds.
        }
    }
}
