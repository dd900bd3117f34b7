using Microsoft.AspNetCore.Authentication;
using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Pages;
using Pulse.Web.Profiles;
using Pulse.Web.Sessions;

namespace Pulse.Web.SignIn;

/// <summary>
/// Completes every sign-in once the identity is proven: creates a session or a link and redirects, or shows a page with the reason for a
/// refusal.
/// </summary>
internal sealed class SignInCompletion(
    IGrainFactory grains, SignInService cookie, DeviceCookie devices, SignInProviders providers, AccountNotices notices, SignUpRule signUp, Callers callers)
{
    /// <summary>Signs the browser in as the user of that account.</summary>
    /// <param name="context">The request.</param>
    /// <param name="who">The proven identity.</param>
    /// <param name="returnUrl">The page after the sign-in. Unchecked.</param>
    /// <exception cref="StoreUnavailableException">The database is unavailable, so the sign-in has failed.</exception>
    public async Task<IResult> SignInAsync(HttpContext context, ExternalIdentity who, string? returnUrl)
    {
        var provider = providers.DisplayName(who.Account.Provider);
        // The development sign-in is for trying out the site as any person.
        var profile = who.Account.Provider == SignInProviders.Dev ? who.Profile : signUp.Apply(who.Profile, who.HostedDomain);
        var result = await Account(who).SignInAsync(profile, who.Type);
        if (result.Profile is not { } user)
        {
            context.Audit(AuditEvents.SignInRefused, provider: who.Account.Provider, email: who.Profile.Email, reason: SyncProblems.Reason(result.Outcome));
            return result.Outcome switch
            {
                ProfileSyncOutcome.EmailTaken => SignInErrors.EmailTaken(provider),
                ProfileSyncOutcome.SignUpRefused => SignInErrors.SignUpRefused(provider),
                ProfileSyncOutcome.EmailMissing => SignInErrors.EmailMissing(provider),
                ProfileSyncOutcome.Disabled => SignInErrors.UserDisabled(),
                _ => SignInErrors.NotAccepted(provider),
            };
        }

        if (result.Outcome == ProfileSyncOutcome.Created) context.Audit(AuditEvents.UserCreated, user.Id, provider: who.Account.Provider);
        if (await cookie.SignInAsync(context, user.Id, who.Account) is not { } sessionId) return await RefuseAsync(context, user.Id, who, provider);

        await notices.NotifyOfJoinAsync(context.Request, result, providers.Describe(who.Account.Provider, who.Profile.Email), sessionId, who.Account.Provider);
        var isKnown = devices.Remember(context, user.Id);
        if (result.FormerEmail is { } former)
        {
            context.Audit(AuditEvents.AddressChanged, user.Id, sessionId, who.Account.Provider, user.Email);
            await notices.NotifyAsync(context.Request, user with { Email = former }, AccountNoticeKind.AddressChanged, NoticeWords.Change(former, user.Email));
        }

        if (!isKnown && result.Outcome != ProfileSyncOutcome.Created)
        {
            context.Audit(AuditEvents.SignedInOnNewDevice, user.Id, sessionId, who.Account.Provider);
            await notices.NotifyAsync(context.Request, user, AccountNoticeKind.NewDevice, $"{DeviceName.From(context.Request.Headers.UserAgent)}, by {provider}");
        }

        return new SeeOtherResult(ReturnUrl.OrDashboard(returnUrl, context.Request.PathBase), hasBase: true);
    }

    // The user was disabled or erased, or the account unlinked, after the account was proven.
    private async Task<IResult> RefuseAsync(HttpContext context, Guid userId, ExternalIdentity who, Words provider)
    {
        var isDisabled = await grains.GetGrain<IUserGrain>(userId).GetProfileAsync() is { DisabledAt: not null };
        context.Audit(AuditEvents.SignInRefused, provider: who.Account.Provider, reason: isDisabled ? "user-disabled" : "account-gone");
        return isDisabled ? SignInErrors.UserDisabled() : SignInErrors.AccountGone(provider);
    }

    /// <summary>Links that account to the requesting user, if the browser is still signed in as that user, in the same session.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable. The dashboard shows whether the account is
    /// linked.</exception>
    public async Task<IResult> LinkAsync(HttpContext context, ExternalIdentity who, LinkIntent intent, string? returnUrl)
    {
        if (await CurrentAsync(context) is not { OwnUserId: { } userId, SessionId: var sessionId } || (userId, sessionId) != (intent.UserId, intent.SessionId))
        {
            context.Audit(AuditEvents.AccountLinkRefused, provider: who.Account.Provider, reason: "not-begun-here");
            return SignInErrors.LinkNotYours();
        }

        var user = grains.GetGrain<IUserGrain>(userId);
        var account = new ExternalAccount
        {
            Provider = who.Account.Provider, ProviderAccountId = who.Account.ProviderAccountId, Type = who.Type, Email = who.Profile.Email,
        };
        switch (await user.LinkAccountAsync(account, intent.Known, intent.ProofId))
        {
            case AccountLinkOutcome.Linked:
                context.Audit(AuditEvents.AccountLinked, userId, Caller.ParseUuid(sessionId), account.Provider);
                if (await user.GetProfileAsync() is { } profile)
                    await notices.NotifyAsync(context.Request, profile, AccountNoticeKind.Linked, providers.Describe(account.Provider, account.Email));
                return new SeeOtherResult(ReturnUrl.OrDashboard(returnUrl, context.Request.PathBase), hasBase: true);
            case AccountLinkOutcome.TakenByAnother:
                context.Audit(AuditEvents.AccountLinkRefused, userId, Caller.ParseUuid(sessionId), account.Provider, reason: "another-users");
                return SignInErrors.AccountTaken(providers.DisplayName(who.Account.Provider));
            default:
                context.Audit(AuditEvents.AccountLinkRefused, userId, Caller.ParseUuid(sessionId), account.Provider, reason: "not-begun-here");
                return SignInErrors.LinkNotYours();
        }
    }

    /// <summary>Whether the browser is signed in as another user than the one that <see cref="SignInAsync"/> would sign in.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    public async Task<bool> IsSomebodyElseAsync(HttpContext context, ExternalIdentity who) =>
        await CurrentAsync(context) is { OwnUserId: { } userId }
        && await Account(who).FindUserAsync() != userId;

    /// <summary>The caller of this request's session cookie, or <see langword="null"/>.</summary>
    public async Task<Caller?> CurrentAsync(HttpContext context) =>
        await context.AuthenticateAsync(SessionHandler.Scheme) is { Succeeded: true, Principal: { } principal } ? callers.Read(principal) : null;

    private IAccountGrain Account(ExternalIdentity who) => grains.GetGrain<IAccountGrain>(who.Account.ToString());
}
