using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
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

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<AccessTokenSchemes>();
        services.AddSingleton<LiveSessions>();
        services.AddSingleton<TokenValidator>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<Callers>();
        services.AddScoped<BearerEvents>();

        services.AddAuthentication(DefaultScheme)
            .AddPolicyScheme(DefaultScheme, displayName: null, policy =>
                policy.ForwardDefaultSelector = context => BearerToken.IsExpected(context.Request) ? JwtBearerDefaults.AuthenticationScheme : SessionHandler.Scheme)
            .AddSessionCookie()
            .AddPolicyScheme(JwtBearerDefaults.AuthenticationScheme, displayName: null, _ => { })
            .AddJwtBearer(AccessTokenSchemes.Own, _ => { });
        services.AddOptions<PolicySchemeOptions>(JwtBearerDefaults.AuthenticationScheme).Configure<AccessTokenSchemes>((options, schemes) =>
            options.ForwardDefaultSelector = context => schemes.Select(BearerToken.Read(context.Request)));

        // After AddJwtBearer: what is configured last holds.
        services.AddSingleton<IConfigureOptions<AuthenticationOptions>, ConfigureAccessTokens>();
        services.AddSingleton<IConfigureOptions<JwtBearerOptions>, ConfigureAccessTokens>();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>, ConfigureAccessTokens>();
        services.AddAuthorization();
    }
}
