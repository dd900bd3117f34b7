using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>Unlinks an account from its user: ends the account's sessions and notifies the owner.</summary>
internal sealed class AccountUnlinking(IGrainFactory grains, SignInProviders providers, AccountNotices notices)
{
    /// <summary>Unlinks one account.</summary>
    /// <param name="context">The request.</param>
    /// <param name="caller">The owner, signed in recently.</param>
    /// <param name="which">The <see cref="ExternalAccount.LinkId"/>, or a provider's name, which selects the account that was linked
    /// last.</param>
    public async Task<AccountLinkOutcome> UnlinkAsync(HttpContext context, SignedInUser caller, string which)
    {
        var user = grains.GetGrain<IUserGrain>(caller.Id);
        var accounts = await user.ListAccountsAsync();
        var account = Caller.ParseUuid(which) is { } id
            ? Array.Find(accounts, account => account.LinkId == id)
            : Array.FindLast(accounts, account => account.Provider == which);
        if (account is null || await user.GetProfileAsync() is not { } profile) return AccountLinkOutcome.NotLinked;

        var key = new AccountKey(account.Provider, account.ProviderAccountId).ToString();
        var outcome = await grains.GetGrain<IAccountGrain>(key).UnlinkAsync(caller.Id);
        if (outcome == AccountLinkOutcome.LastWayIn) return outcome;

        // Also if the account is found unlinked by now: the answer to a first attempt may have been lost, or another request was faster.
        context.Audit(AuditEvents.AccountUnlinked, caller.Id, caller.SessionId, account.Provider);
        await grains.GetGrain<IUserSessionsGrain>(caller.Id).EndOfAccountAsync(key, caller.SessionId);
        await notices.NotifyAsync(context.Request, profile, AccountNoticeKind.Unlinked, providers.Describe(account.Provider, account.Email));
        return AccountLinkOutcome.Unlinked;
    }
}
