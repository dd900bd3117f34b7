using Pulse.Accounts;
using Pulse.Conversations;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Http;

namespace Pulse.Web.Users;

/// <summary>Erases and disables users.</summary>
internal sealed class UserErasure(IGrainFactory grains)
{
    /// <summary>Erases the user: all stored data, and every socket. Safe to repeat. Writes the audit line.</summary>
    /// <remarks>
    /// After a restore an operator erases the users of all these lines again, because each of them has asked for it, whatever the outcome.
    /// </remarks>
    /// <param name="context">The request.</param>
    /// <param name="userId">The user.</param>
    /// <param name="kind">The audit event.</param>
    /// <param name="sessionId">The session of a user who has asked for it.</param>
    /// <returns><see langword="false"/> if the user is unknown.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable. The user is erased or unchanged.</exception>
    public async Task<bool> EraseAsync(HttpContext context, Guid userId, AuditEvent kind, Guid? sessionId = null)
    {
        var user = grains.GetGrain<IUserGrain>(userId);
        var (found, accounts, email) = await context.AuditUnknownAsync(kind, userId, sessionId, async () =>
        {
            var accounts = await user.ListAccountsAsync();
            var email = (await user.GetProfileAsync())?.Email;
            // If its outcome is unknown, the sessions may be gone, so that the user cannot repeat the request.
            return (await user.EraseAsync(), accounts, email);
        });
        if (!found) return false;

        // Before the rest, because restoring a backup depends on this line.
        context.Audit(kind, userId, sessionId, reason: AuditReasons.Committed);
        await Task.WhenAll(
        [
            EndSessionsAsync(userId), EraseMessagesAsync(userId),
            .. accounts.Select(account => ForgetOwnerAsync(account, userId)),
            .. accounts.Where(account => account.Type == "email").Select(account => account.ProviderAccountId)
                .Append(email).OfType<string>().Distinct().Select(ForgetMailsAsync),
        ]);
        return true;
    }

    /// <summary>Disables or enables the user. Disabling ends all sessions. Safe to repeat. Writes the audit line.</summary>
    /// <returns><see langword="false"/> if the user is unknown.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable. The user is changed or unchanged.</exception>
    public async Task<bool> SetDisabledAsync(HttpContext context, Guid userId, bool disabled)
    {
        var kind = disabled ? AuditEvents.AdminDisabled : AuditEvents.AdminEnabled;
        if (!await context.AuditUnknownAsync(kind, userId, sessionId: null, () => grains.GetGrain<IUserGrain>(userId).SetDisabledAsync(disabled))) return false;
        context.Audit(kind, userId, reason: AuditReasons.Committed);
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
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            // The grain clears its memory before it calls the database. The memory of a lost silo is gone.
        }
    }

    // The links are deleted with the user. The grain still counts them against new mails to that mailbox.
    private async Task ForgetMailsAsync(string email)
    {
        try
        {
            await grains.GetGrain<ISignInLinksGrain>(Mailbox.Of(email)).RemoveAllAsync(email);
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            // The count ends within minutes.
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

    // The rows are invalid already. This call clears the memory of the grain that checks them. Otherwise the grain reads again only after
    // some seconds.
    private async Task EndSessionsAsync(Guid userId)
    {
        try
        {
            await grains.GetGrain<IUserSessionsGrain>(userId).EndAllAsync();
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            // The grain reads again by itself within seconds.
        }
    }
}
