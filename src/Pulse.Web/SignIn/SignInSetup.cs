using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Pulse.Silo.Health;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>Registers the ways to sign in: OpenID Connect providers, links by mail, and in Development a sign-in without proof.</summary>
internal static class SignInSetup
{
    /// <summary>Adds the services. Call it after authentication and data protection.</summary>
    public static void AddPulseSignIn(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        builder.AddPulseMail();
        services.AddOptions<OpenIdOptions>().BindConfiguration(OpenIdOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<OpenIdOptions>, OpenIdOptionsValidator>();
        services.AddSingleton<IValidateOptions<SiteOptions>, PublicUrlRequirement>();
        services.AddSingleton<IValidateOptions<AuthOptions>, IssuerNameValidator>();
        services.AddJson(SignInJson.Default);

        // The registrations of AddOpenIdConnect, for any number of schemes. The order of the two PostConfigures matters.
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<OpenIdConnectOptions>, OpenIdConnectPostConfigureOptions>());
        services.AddTransient<OpenIdConnectHandler>();
        services.AddSingleton<IConfigureOptions<AuthenticationOptions>, ConfigureOpenId>();
        services.AddSingleton<IConfigureOptions<OpenIdConnectOptions>, ConfigureOpenId>();
        services.AddSingleton<IPostConfigureOptions<OpenIdConnectOptions>, ConfigureOpenId>();
        services.AddScoped<OpenIdEvents>();

        services.AddSingleton<OpenIdAvailability>();
        services.AddHostedService(provider => provider.GetRequiredService<OpenIdAvailability>());
        services.AddHealthChecks().AddCheck<SignInHealthCheck>("sign-in", tags: [HealthEndpoints.ReadyTag]);

        services.AddSingleton<SignInProviders>();
        services.AddSingleton<SignInCompletion>();
        services.AddSingleton<AccountLinking>();
        services.AddSingleton<AccountUnlinking>();
        services.AddSingleton<AccountNotices>();
        services.AddSingleton<AddressChanges>();
        services.AddSingleton<EmailLinks>();
        services.AddSingleton<SignInMails>();
        services.AddSingleton<AskedMails>();
        services.AddSingleton<MailLimits>();
        services.AddSingleton<SignInConsent>();
        services.AddSignInRateLimit();
    }

    /// <summary>Maps all routes of sign-in and accounts.</summary>
    public static void MapPulseSignIn(this WebApplication app)
    {
        app.MapOpenIdSignIn();
        app.MapEmailSignIn();
        app.MapDevSignInForm();
        app.MapDevMail();
        app.MapAccounts();
        app.MapAddressChanges();
    }
}
