using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Silo.Clock;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Sessions;

/// <summary>Signs a browser in and out.</summary>
internal sealed class SignInService(
    IGrainFactory grains, Callers callers, SessionCookie cookie, SessionSecrets secrets, RequestedMailsCookie mails,
    [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
{
    // Clear Site Data section 3.1. "cookies" is left out, because a browser would also clear those of the whole registrable domain, and the
    // one that identifies this device. "executionContexts" is left out, because other tabs learn of the end over the hub and so keep a
    // person's unsaved input.
    private const string SiteData = "\"cache\", \"storage\"";

    /// <summary>
    /// Starts a session for the user and sets its cookie in the browser. Ends the browser's previous session, whoever its user was.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="userId">The user.</param>
    /// <param name="account">The account that signs in. Unlinking it ends the session.</param>
    /// <returns>
    /// The id of the session. <see langword="null"/>, and the browser is unchanged, if the user was disabled or erased meanwhile, or the
    /// account unlinked.
    /// </returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable, so the sign-in has failed.</exception>
    public async Task<Guid?> SignInAsync(HttpContext context, Guid userId, AccountKey? account = null)
    {
        // Always a new secret and a new id, so that a secret that an attacker planted in the browser before is useless (session fixation).
        var secret = secrets.Create(userId);
        var started = await grains.GetGrain<IUserSessionsGrain>(userId).StartAsync(new()
        {
            TokenHash = secret.Hash,
            Device = context.Request.Headers.UserAgent.ToString(),
            Address = ClientAddress.Of(context),
            Account = account?.ToString(),
            At = time.GetUtcNow(),
        });
        if (started is not { } session) return null;

        cookie.Set(context, secret, session.ExpiresAt);
        context.Audit(AuditEvents.SignedIn, userId, session.Id, account?.Provider);

        // After the start, because a sign-in that fails must leave the person signed in.
        if (Read(context) is { } former && former.UserId != userId) cookie.Forget(context, former.UserId);
        try
        {
            await EndBrowsersAsync(context, AuditEvents.SessionReplaced);
        }
        catch (Exception exception) when (TransientErrors.IsTransient(exception))
        {
            // The browser has the new cookie. The former session is listed among the devices until it expires.
        }

        return session.Id;
    }

    /// <summary>Ends the request's session, identified by its token's <c>sid</c> or by the cookie.</summary>
    /// <remarks>A browser with the cookie deletes it, together with its stored data of this site.</remarks>
    /// <exception cref="StoreUnavailableException">The database is unavailable. The session stays live, and the cookie is kept.</exception>
    public async Task SignOutAsync(HttpContext context)
    {
        if (callers.TryRead(context.User) is { OwnUserId: { } userId, OwnSessionId: { } sessionId }
            && await grains.GetGrain<IUserSessionsGrain>(userId).EndAsync(sessionId))
        {
            context.Audit(AuditEvents.SignedOut, userId, sessionId);
        }

        // A caller with a token may also send another user's cookie, which the call does not concern.
        if (context.User.Identity?.IsAuthenticated == true && !SessionPrincipal.IsFromCookie(context.User)) return;
        await EndBrowsersAsync(context, AuditEvents.SignedOut);
        Clear(context);
        cookie.MarkSignedOut(context);
        ClearSiteData(context);
    }

    /// <summary>Deletes the cookie and the stored data of a signed-in browser, whose session was ended by other means.</summary>
    public void Forget(HttpContext context)
    {
        if (!SessionPrincipal.IsFromCookie(context.User)) return;
        Clear(context);
        ClearSiteData(context);
    }

    // The requested mails too: with them a form that is submitted again would sign in again, because its answer is repeated for a minute.
    private void Clear(HttpContext context)
    {
        cookie.Clear(context, Read(context)?.UserId);
        mails.Clear(context);
    }

    // Browsers ignore the header on answers over http. Below a path, other applications share the origin, and the header would clear their
    // data. In both cases the pages delete the user's data: see SessionCookie.
    private static void ClearSiteData(HttpContext context)
    {
        if (context.Request is { IsHttps: true, PathBase.HasValue: false }) context.Response.Headers["Clear-Site-Data"] = SiteData;
    }

    private async Task EndBrowsersAsync(HttpContext context, AuditEvent why)
    {
        if (Read(context) is not { } secret) return;

        var sessions = grains.GetGrain<IUserSessionsGrain>(secret.UserId);
        if (await sessions.AuthenticateAsync(secret.Hash, ClientAddress.Of(context)) is { } session && await sessions.EndAsync(session.Id))
            context.Audit(why, secret.UserId, session.Id);
    }

    private SessionSecret? Read(HttpContext context) =>
        cookie.Read(context) is { } value && secrets.TryParse(value, out var secret) ? secret : null;
}
