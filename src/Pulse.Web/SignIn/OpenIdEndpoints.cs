using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Pulse.Identity;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Sessions;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>
/// Begins a sign-in with an OpenID Connect provider. The sign-in ends at that provider's callback, which its scheme handles.
/// </summary>
internal static class OpenIdEndpoints
{
    /// <summary>Maps <c>GET /auth/signin/{provider}</c>. Answers 404 for an unknown provider.</summary>
    public static void MapOpenIdSignIn(this IEndpointRouteBuilder app) =>
        app.MapGet("/auth/signin/{provider}", BeginAsync).AllowAnonymous().WithTags("Sign-in")
            .WithSummary("Begin a sign-in with an OpenID Connect provider")
            .WithDescription("For browsers. The provider sends the browser to /auth/callback/{provider}, which sets the session cookie and redirects to returnUrl.")
            .Path("provider", "Name of the provider: google, or the name of a section of Pulse:Auth:Providers.")
            .Query("returnUrl", "Path of this site after the sign-in. Default: the dashboard.")
            .Query("login_hint", "The address that the person is asked to use.")
            .QueryBoolean("link", "true links the account to the signed-in user.")
            .Query("proof", "Proof of the dashboard's form, for link.")
            .Query("consent", "Proof that a page of this site began the sign-in.")
            .Produces<string>(StatusCodes.Status200OK, "text/html").Produces(StatusCodes.Status302Found)
            .Produces(StatusCodes.Status303SeeOther)
            .Refuses(ProblemTypes.NotFound);

    private static async Task<IResult> BeginAsync(
        string provider, string? returnUrl, bool? link, string? proof, string? consent, [FromQuery(Name = "login_hint")] string? loginHint,
        HttpContext context, SignInProviders providers, OpenIdAvailability availability, SignInCompletion completion, AccountLinking linking,
        SignInConsent consents, SessionCookie cookie, RecentSignIn recentSignIn, TimeProvider time)
    {
        if (!providers.Has(provider)) return ProblemTypes.NotFound.ToResult();

        var state = new AuthenticationProperties
        {
            RedirectUri = ReturnUrl.OrDashboard(returnUrl, context.Request.PathBase),
            ExpiresUtc = time.GetUtcNow() + OpenIdOptions.SignInTimeout,
        };
        var current = await completion.CurrentAsync(context);
        if (link == true)
        {
            if (current is not { OwnUserId: not null } caller)
                return new SeeOtherResult($"{SignInRedirect.SignInPath}?returnUrl={Uri.EscapeDataString(context.Request.PathBase + ReturnUrl.Dashboard)}");
            if (!recentSignIn.IsRecent(caller)) return SignInErrors.SignInTooOld(context);
            if (linking.Read(caller, provider, proof) is not { } intent)
            {
                context.Audit(AuditEvents.AccountLinkRefused, provider: provider, reason: "not-begun-here");
                return SignInErrors.LinkNotYours();
            }

            intent.Write(state);
        }
        else if (consents.IsNeeded(context.Request, current, consent))
        {
            var query = QueryString.Create("returnUrl", state.RedirectUri);
            if (loginHint is not null) query = query.Add("login_hint", loginHint);
            if (current is not null) query = query.Add("consent", consents.For(current));
            return SignInPages.BeginSignIn(providers.DisplayName(provider), $"/auth/signin/{Uri.EscapeDataString(provider)}{query}", current is not null);
        }
        else
        {
            SignInConsent.Write(state, current);
        }

        // A person who signed out would otherwise be signed in again automatically with the same account. For linking, the person must be
        // able to choose among several accounts.
        if (link == true || cookie.WasSignedOut(context)) state.SetParameter(OpenIdEvents.ChooseAccount, true);
        if (loginHint is { Length: > 0 and <= EmailAddress.MaxLength }) state.SetParameter(OpenIdConnectParameterNames.LoginHint, loginHint);

        // People are sent only to an available provider, because they could not return otherwise.
        if (providers.All.Any(known => known.Name == provider && known.UnavailableReason is not null) && await availability.CheckAsync(provider) is not null)
            return SignInErrors.Unavailable(providers.DisplayName(provider));
        try
        {
            await context.ChallengeAsync(provider, state);
            return Results.Empty;
        }
        catch (Exception exception) when (exception is InvalidOperationException or HttpRequestException or IOException or TaskCanceledException)
        {
            // The discovery document was unreadable. The next check writes the reason to the log and the health answer.
            _ = availability.CheckAsync(provider);
            return SignInErrors.Unavailable(providers.DisplayName(provider));
        }
    }
}
