using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Auth;

/// <summary>Sets up who is let in.</summary>
internal static class AuthSetup
{
    /// <summary>Adds the token schemes, one per issuer, behind one default scheme that picks among them; and what reads and makes tokens.</summary>
    public static void AddPulseAuth(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<AuthOptions>().BindConfiguration(AuthOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IPostConfigureOptions<AuthOptions>, DevelopmentSigningKey>();
        services.AddSingleton<IValidateOptions<AuthOptions>, AuthOptionsValidator>();

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<AccessTokenSchemes>();
        services.AddSingleton<TokenValidator>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<Callers>();
        services.AddScoped<BearerEvents>();

        services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
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
