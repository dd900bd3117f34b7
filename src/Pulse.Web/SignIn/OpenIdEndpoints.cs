using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Pulse.Identity;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Sessions;

namespace Pulse.Web.SignIn;

/// <summary>Where a sign-in with an OpenID Connect provider begins. It ends at that provider's callback, which its scheme answers.</summary>
internal static class OpenIdEndpoints
{
    /// <summary>Maps <c>GET /auth/signin/{provider}</c>; 404 for a provider that is not set up.</summary>
    public static void MapOpenIdSignIn(this IEndpointRouteBuilder app) =>
        app.MapGet("/auth/signin/{provider}", BeginAsync).AllowAnonymous().WithTags("Sign-in");

    private static async Task<IResult> BeginAsync(
        string provider, string? returnUrl, bool? link, string? proof, string? consent, [FromQuery(Name = "login_hint")] string? loginHint,
        HttpContext context, SignInProviders providers, OpenIdAvailability availability, SignInCompletion completion, AccountLinking linking,
        SignInConsent consents, SessionCookie cookie, TimeProvider time)
    {
        if (!providers.Has(provider)) return ProblemTypes.NotFound.ToResult();

        var state = new AuthenticationProperties
        {
            RedirectUri = ReturnUrl.OrDashboard(returnUrl, context.Request.PathBase),
            ExpiresUtc = time.GetUtcNow() + SignInOptions.Patience,
        };
        var current = await completion.CurrentAsync(context);
        if (link == true)
        {
            if (current is not { OwnUserId: not null } caller)
                return new SeeOtherResult($"{SignInRedirect.SignInPath}?returnUrl={Uri.EscapeDataString(context.Request.PathBase + ReturnUrl.Dashboard)}");
            if (!RecentSignIn.IsRecent(caller, time)) return SignInErrors.SignInTooOld(context);
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

        // A person who signed out would otherwise be signed in again with the same account, without being asked; and an account to link is a
        // choice among several.
        if (link == true || cookie.WasSignedOut(context)) state.SetParameter(OpenIdEvents.ChooseAccount, true);
        if (loginHint is { Length: > 0 and <= EmailAddress.MaxLength }) state.SetParameter(OpenIdConnectParameterNames.LoginHint, loginHint);

        // Nobody is sent to a provider that does not answer: there would be no way back.
        if (providers.All.Any(known => known.Name == provider && known.WhyNot is not null) && await availability.CheckAsync(provider) is not null)
            return SignInErrors.Unavailable(providers.DisplayName(provider));
        try
        {
            await context.ChallengeAsync(provider, state);
            return Results.Empty;
        }
        catch (Exception exception) when (exception is InvalidOperationException or HttpRequestException or IOException or TaskCanceledException)
        {
            // The discovery document could not be read. The next look will say why, in the log and in health.
            _ = availability.CheckAsync(provider);
            return SignInErrors.Unavailable(providers.DisplayName(provider));
        }
    }
}
