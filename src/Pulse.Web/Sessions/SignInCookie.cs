using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Sessions;

/// <summary>Signs a browser in and out.</summary>
internal sealed class SignInCookie(IGrainFactory grains, Callers callers, SessionCookie cookie, SessionSecrets secrets)
{
    // Clear Site Data section 3.1. Not "cookies": a browser would clear those of the whole registrable domain too, and the one that recognises
    // this device. Not "executionContexts": other tabs learn of the end over the hub, without losing what a person has typed.
    private const string SiteData = "\"cache\", \"storage\"";

    /// <summary>Starts a session for the user and hands its cookie to the browser. The session that the browser had, whosever, ends.</summary>
    /// <param name="context">The request.</param>
    /// <param name="userId">The user.</param>
    /// <param name="account">The account that signs in: the session ends when it is unlinked.</param>
    /// <returns>The id of the session.</returns>
    /// <exception cref="InvalidOperationException">There is no such user.</exception>
    /// <exception cref="StoreUnavailableException">The database is away: nobody is signed in.</exception>
    public async Task<Guid> SignInAsync(HttpContext context, Guid userId, AccountKey? account = null)
    {
        await EndBrowsersAsync(context, AuditEvents.SessionReplaced);

        // Always a new secret and a new id: one that somebody planted in the browser before is worth nothing after (session fixation).
        var secret = secrets.Create(userId);
        var session = await grains.GetGrain<IUserSessionsGrain>(userId).StartAsync(new()
        {
            TokenHash = secret.Hash,
            Device = context.Request.Headers.UserAgent.ToString(),
            Address = ClientAddress.Of(context),
            Account = account?.ToString(),
        }) ?? throw new InvalidOperationException($"User {userId:D} cannot be signed in: there is no such user.");
        cookie.Set(context, secret, session.ExpiresAt);
        context.Audit(AuditEvents.SignedIn, userId, session.Id, account?.Provider);
        return session.Id;
    }

    /// <summary>Ends the session that the request comes with, be it by its token's <c>sid</c> or by the cookie.</summary>
    /// <remarks>The browser of a cookie forgets it, together with what it has stored for this site.</remarks>
    /// <exception cref="StoreUnavailableException">The database is away: the session goes on, and the cookie stays.</exception>
    public async Task SignOutAsync(HttpContext context)
    {
        if (callers.TryRead(context.User) is { OwnUserId: { } userId, OwnSessionId: { } sessionId }
            && await grains.GetGrain<IUserSessionsGrain>(userId).EndAsync(sessionId))
        {
            context.Audit(AuditEvents.SignedOut, userId, sessionId);
        }

        // A caller with a token may have somebody else's cookie: that is not what they speak of.
        if (context.User.Identity?.IsAuthenticated == true && !SessionPrincipal.IsFromCookie(context.User)) return;
        await EndBrowsersAsync(context, AuditEvents.SignedOut);
        cookie.Clear(context);
        cookie.MarkSignedOut(context);
        ClearSiteData(context);
    }

    /// <summary>Has a browser that is signed in forget its cookie and what it has stored: its session has been ended otherwise.</summary>
    public void Forget(HttpContext context)
    {
        if (!SessionPrincipal.IsFromCookie(context.User)) return;
        cookie.Clear(context);
        ClearSiteData(context);
    }

    // Browsers ignore the header on answers over http. Below a path the origin is shared with other applications, whose data it would clear.
    private static void ClearSiteData(HttpContext context)
    {
        if (context.Request is { IsHttps: true, PathBase.HasValue: false }) context.Response.Headers["Clear-Site-Data"] = SiteData;
    }

    private async Task EndBrowsersAsync(HttpContext context, AuditEvent why)
    {
        if (cookie.Read(context) is not { } value || !secrets.TryParse(value, out var secret)) return;

        var sessions = grains.GetGrain<IUserSessionsGrain>(secret.UserId);
        if (await sessions.AuthenticateAsync(secret.Hash, ClientAddress.Of(context)) is { } session && await sessions.EndAsync(session.Id))
            context.Audit(why, secret.UserId, session.Id);
    }
}
