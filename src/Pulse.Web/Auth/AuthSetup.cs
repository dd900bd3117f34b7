using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Pulse.Silo;
using Pulse.Web.Keys;
using Pulse.Web.Sessions;

namespace Pulse.Web.Auth;

/// <summary>Sets up who is let in.</summary>
internal static class AuthSetup
{
    /// <summary>Picks what a request is authenticated by: an access token where it brings one, else the session cookie.</summary>
    private const string DefaultScheme = "Caller";

    /// <summary>Adds the token schemes, one per issuer, behind one that picks among them; the session cookie; and what reads and makes tokens.</summary>
    public static void AddPulseAuth(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<AuthOptions>().BindConfiguration(AuthOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IPostConfigureOptions<AuthOptions>, DevelopmentSigningKey>();
        services.AddSingleton<IValidateOptions<AuthOptions>, AuthOptionsValidator>();

        services.AddSteadyClock();
        services.AddSingleton(typeof(GrainReferences<>));
        services.AddSingleton<AccessTokenSchemes>();
        services.AddSingleton<CheckedTokens>();
        services.AddSingleton<LiveSessions>();
        services.AddSingleton<TokenValidator>();
        services.AddTokenKeys();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<HubTickets>();
        services.AddSingleton<Callers>();

        services.AddAuthentication(DefaultScheme)
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(DefaultScheme, displayName: null, options =>
                options.ForwardDefaultSelector = context => BearerToken.IsExpected(context.Request) ? null : SessionHandler.Scheme)
            .AddSessionCookie()
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(BearerHandler.Scheme, displayName: null, _ => { });

        // Each issuer's rules and keys are the framework's options; its own post-configuration sets up the fetching of keys, and Pulse's comes after it.
        services.AddSingleton<IConfigureOptions<JwtBearerOptions>, ConfigureAccessTokens>();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>, JwtBearerPostConfigureOptions>();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>, ConfigureAccessTokens>();
        services.AddAuthorization();
    }
}
