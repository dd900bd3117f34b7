using Microsoft.Extensions.Options;
using Pulse.Silo.Health;
using Pulse.Web.Auth;
using Pulse.Web.Mail;
using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>An OpenID Connect provider, as the sign-in page shows it.</summary>
/// <param name="Name">Its name in routes and accounts.</param>
/// <param name="DisplayName">Its readable name.</param>
/// <param name="UnavailableReason">The reason why it is unavailable, as readable text. <see langword="null"/> if it is available as far as is
/// known.</param>
internal sealed record SignInProvider(string Name, Words DisplayName, Words? UnavailableReason);

/// <summary>The ways to sign in. Calls are cheap, because a background service monitors the availability.</summary>
internal sealed class SignInProviders(
    IOptions<OpenIdOptions> options, IOptions<AuthOptions> auth, OpenIdAvailability availability, IMailSender mail,
    IHostEnvironment environment, HealthDetails details)
{
    /// <summary>The provider of accounts that are a mailbox.</summary>
    public const string Email = "email";

    /// <summary>The provider of unproven accounts, in Development.</summary>
    public const string Dev = "dev";

    private const string EmailName = "E-mail link";
    private const string DevName = "Development sign-in";

    /// <summary>The OpenID Connect providers, in the order of the page. Unavailable ones have a reason.</summary>
    public IReadOnlyList<SignInProvider> All =>
        [.. options.Value.All.Select(provider => new SignInProvider(provider.Key, DisplayName(provider.Key), availability.UnavailableReason(provider.Key)))];

    /// <summary>The same for a page. The reasons are for visitors who get the details of <c>/health/ready</c>, which has them too.</summary>
    public IReadOnlyList<SignInProvider> AllFor(HttpContext visitor)
    {
        if (details.AreFor(visitor)) return All;
        var advice = (Words)"try again in a minute";
        return [.. All.Select(provider => provider.UnavailableReason is null ? provider : provider with { UnavailableReason = advice })];
    }

    /// <summary>The reason why sign-in links by mail are unavailable. <see langword="null"/> if they are available.</summary>
    public string? EmailUnavailableReason => mail.UnavailableReason;

    /// <summary>Whether sign-in as any user is allowed. The environment is checked too, because this gives access to every user.</summary>
    public bool DevAllowed => environment.IsDevelopment() && auth.Value.DevSignIn;

    /// <summary>Whether there is an OpenID Connect provider of that name.</summary>
    public bool Has(string provider) => options.Value.Find(provider) is not null;

    /// <summary>See <see cref="OpenIdProviderOptions.JoinsByEmail"/>.</summary>
    public bool? JoinsByEmail(string provider) => options.Value.Find(provider)?.JoinsByEmail;

    /// <summary>An account as readable text in English.</summary>
    public string Describe(string provider, string? email) => email is null ? $"{DisplayName(provider)}" : $"{DisplayName(provider)} ({email})";

    /// <summary>The readable name of an account's provider. Also defined for a former provider and a trusted issuer.</summary>
    public Words DisplayName(string provider)
    {
        if (provider == Email) return EmailName;
        if (provider == Dev) return DevName;
        return $"{OpenIdName(provider)}";
    }

    /// <summary>The text for a name of <see cref="DisplayName"/> that was stored in English.</summary>
    public static Words Stored(string name) => name is EmailName or DevName ? (Words)name : $"{name}";

    private string OpenIdName(string provider)
    {
        if (options.Value.Find(provider) is { } known) return string.IsNullOrWhiteSpace(known.DisplayName) ? provider : known.DisplayName;
        if (provider == OpenIdOptions.GoogleName) return "Google";
        return Uri.TryCreate(provider, UriKind.Absolute, out var issuer) && issuer.Host.Length > 0 ? issuer.Host : provider;
    }
}
