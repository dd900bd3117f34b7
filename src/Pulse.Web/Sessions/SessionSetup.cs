using Microsoft.AspNetCore.Authentication;
using Pulse.Web.Http;

namespace Pulse.Web.Sessions;

/// <summary>Sets up the session cookie.</summary>
internal static class SessionSetup
{
    /// <summary>Adds the cookie, its authentication scheme, and what keeps others from using it.</summary>
    public static AuthenticationBuilder AddSessionCookie(this AuthenticationBuilder authentication)
    {
        var services = authentication.Services;
        services.AddJson(SessionJson.Default);
        services.AddSingleton<SessionCookie>();
        services.AddSingleton<SessionSecrets>();
        services.AddSingleton<SignInCookie>();
        services.AddSingleton<DeviceCookie>();
        services.AddAntiforgery();
        return authentication.AddScheme<AuthenticationSchemeOptions, SessionHandler>(SessionHandler.Scheme, displayName: null, _ => { });
    }

    /// <summary>Refuses what other sites' pages ask for with the cookie. After authorization: it must know who is calling, and by what.</summary>
    public static void UseSameOriginGuard(this IApplicationBuilder app) => app.UseMiddleware<SameOriginGuard>();
}
