using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Keys;
using Pulse.Web.Sessions;
using Pulse.Web.Silos;
using Pulse.Web.Tokens;

namespace Pulse.Web;

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

        services.AddOptions<SignUpOptions>().BindConfiguration(SignUpOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<SignUpOptions>, SignUpOptionsValidator>();
        services.AddSingleton<SignUpRule>();

        services.AddJson(TokenJson.Default);
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
        services.AddSingleton<UserAccess>();

        // The framework writes two lines for each refused token and one for each old cookie. The audit log counts them instead.
        builder.Logging.AddFilter(typeof(BearerHandler).FullName, LogLevel.Warning);
        builder.Logging.AddFilter(typeof(SessionHandler).FullName, LogLevel.Warning);

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

    /// <summary>Refuses disabled and erased users' tokens. After authorization.</summary>
    public static void UseUserAccess(this IApplicationBuilder app) => app.Use(app.ApplicationServices.GetRequiredService<UserAccess>().CheckAsync);
}
