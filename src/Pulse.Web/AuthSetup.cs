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

/// <summary>Registers authentication and authorization.</summary>
internal static class AuthSetup
{
    /// <summary>Authenticates by the access token if the request has one, otherwise by the session cookie.</summary>
    private const string DefaultScheme = "Caller";

    /// <summary>
    /// Adds the token schemes, one per issuer, behind one that selects among them. Also adds the session cookie, and the services that read
    /// and issue tokens.
    /// </summary>
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
        services.AddSingleton<ValidatedTokenCache>();
        services.AddSingleton<SessionLivenessCheck>();
        services.AddSingleton<TokenValidator>();
        services.AddTokenKeys();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<HubTickets>();
        services.AddSingleton<Callers>();
        services.AddSingleton<UserAccess>();
        services.AddSingleton<RecentSignIn>();

        // The framework writes two lines for each refused token and one for each old cookie. The audit log counts them instead.
        builder.Logging.AddFilter(typeof(BearerHandler).FullName, LogLevel.Warning);
        builder.Logging.AddFilter(typeof(SessionHandler).FullName, LogLevel.Warning);

        services.AddAuthentication(DefaultScheme)
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(DefaultScheme, displayName: null, options =>
                options.ForwardDefaultSelector = context => BearerToken.IsExpected(context.Request) ? null : SessionHandler.Scheme)
            .AddSessionCookie()
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(BearerHandler.Scheme, displayName: null, _ => { });

        // The framework's options hold each issuer's rules and keys. Its own post-configuration sets up the fetching of keys, and Pulse's
        // runs after it.
        services.AddSingleton<IConfigureOptions<JwtBearerOptions>, ConfigureAccessTokens>();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>, JwtBearerPostConfigureOptions>();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>, ConfigureAccessTokens>();
        services.AddAuthorization();
    }

    /// <summary>Refuses tokens of disabled and erased users. Place it after authorization.</summary>
    public static void UseUserAccess(this IApplicationBuilder app) => app.Use(app.ApplicationServices.GetRequiredService<UserAccess>().CheckAsync);
}
