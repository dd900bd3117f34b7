using Microsoft.AspNetCore.Authentication;
using Pulse.Web.Http;

namespace Pulse.Web.Sessions;

/// <summary>Registers the session cookie.</summary>
internal static class SessionSetup
{
    /// <summary>Adds the cookie, its authentication scheme, and its protection against other sites.</summary>
    public static AuthenticationBuilder AddSessionCookie(this AuthenticationBuilder authentication)
    {
        var services = authentication.Services;
        services.AddJson(SessionJson.Default);
        services.AddSingleton<SessionCookie>();
        services.AddSingleton<SessionSecrets>();
        services.AddSingleton<RequestedMailsCookie>();
        services.AddSingleton<SignInService>();
        services.AddSingleton<DeviceCookie>();
        services.AddAntiforgery();
        return authentication.AddScheme<AuthenticationSchemeOptions, SessionHandler>(SessionHandler.Scheme, displayName: null, _ => { });
    }

    /// <summary>
    /// Refuses other sites' requests with the cookie. Place it after authorization, because it needs the caller and the authentication
    /// type.
    /// </summary>
    public static void UseSameOriginGuard(this IApplicationBuilder app) => app.UseMiddleware<SameOriginGuard>();
}
