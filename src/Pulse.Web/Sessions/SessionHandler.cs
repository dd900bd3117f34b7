using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Pulse.Identity;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Tokens;

namespace Pulse.Web.Sessions;

/// <summary>Authenticates by the session cookie. An invalid cookie leaves the request anonymous and is deleted in the browser.</summary>
internal sealed class SessionHandler(
    IGrainFactory grains, SessionCookie cookie, SessionSecrets secrets, IOptions<AuthOptions> auth,
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The name of the authentication scheme, and the type of its identities.</summary>
    public new const string Scheme = "Session";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (cookie.Read(Context) is not { } value) return AuthenticateResult.NoResult();
        if (!secrets.TryParse(value, out var secret)) return Ended("forged", userId: null);

        SignInSession? session;
        try
        {
            session = await grains.GetGrain<IUserSessionsGrain>(secret.UserId).AuthenticateAsync(secret.Hash, ClientAddress.Of(Context)).WaitAsync(Context);
        }
        catch (Exception exception) when (TransientErrors.IsTransient(exception))
        {
            // The state is unknown, so the cookie is kept, and routes that require a user answer 503.
            return AuthenticateResult.Fail(new SessionUnknownException(exception));
        }

        if (session is null) return Ended("ended", secret.UserId);
        if (session.Renewed) cookie.Set(Context, secret, session.ExpiresAt);
        return AuthenticateResult.Success(new(SessionPrincipal.Create(session, secret.UserId, auth.Value.Issuer), base.Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var failure = (await HandleAuthenticateOnceSafeAsync()).Failure;
        if (failure is UnverifiableTokenException unknown)
        {
            await ProblemTypes.Unavailable.WriteAsync(Context, unknown.Advice);
            return;
        }

        if (SignInRedirect.AppliesTo(Context))
        {
            // RFC 9110 section 15.4.4: redirects to a page, whatever the method was.
            Response.StatusCode = StatusCodes.Status303SeeOther;
            Response.Headers.Location = SignInRedirect.For(Request);
            return;
        }

        // RFC 9110 section 15.5.2: a 401 names an authentication scheme. RFC 6750 section 3.1: it omits the error if the token was missing.
        Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        await (failure is null ? ProblemTypes.TokenMissing : ProblemTypes.SignedOut).WriteAsync(Context);
    }

    private AuthenticateResult Ended(string reason, Guid? userId)
    {
        Context.Audit(AuditEvents.CookieRefused, reason: reason);
        cookie.Clear(Context, userId);
        return AuthenticateResult.Fail(new SessionEndedException());
    }
}
