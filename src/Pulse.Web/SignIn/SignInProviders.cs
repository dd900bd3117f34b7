using Microsoft.Extensions.Options;
using Pulse.Web.Auth;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>An OpenID Connect provider, as the sign-in page shows it.</summary>
/// <param name="Name">Its name in routes and accounts.</param>
/// <param name="DisplayName">What people call it.</param>
/// <param name="WhyNot">Why it cannot be used now, in words for people; <see langword="null"/> when it can, as far as is known.</param>
internal sealed record SignInProvider(string Name, string DisplayName, string? WhyNot);

/// <summary>The ways to sign in here. Asking costs nothing: who is away is found out in the background.</summary>
internal sealed class SignInProviders(
    IOptions<SignInOptions> options, IOptions<AuthOptions> auth, OpenIdAvailability availability, IMailSender mail, IHostEnvironment environment)
{
    /// <summary>The provider of accounts that are a mailbox.</summary>
    public const string Email = "email";

    /// <summary>The provider of accounts that nobody has proven, in Development.</summary>
    public const string Dev = "dev";

    /// <summary>The OpenID Connect providers, in the order of the page; those that cannot be used now say why.</summary>
    public IReadOnlyList<SignInProvider> All =>
        [.. options.Value.All.Select(provider => new SignInProvider(provider.Key, DisplayName(provider.Key), availability.WhyNot(provider.Key)))];

    /// <summary>Why there are no sign-in links by mail; <see langword="null"/> where there are.</summary>
    public string? EmailWhyNot => mail.WhyNot;

    /// <summary>Whether anybody may sign in as anyone: asked of the environment too, because of what it gives away.</summary>
    public bool DevAllowed => environment.IsDevelopment() && auth.Value.DevSignIn;

    /// <summary>Whether there is an OpenID Connect provider of that name.</summary>
    public bool Has(string provider) => options.Value.Find(provider) is not null;

    /// <summary>See <see cref="OpenIdProviderOptions.JoinsByEmail"/>.</summary>
    public bool? JoinsByEmail(string provider) => options.Value.Find(provider)?.JoinsByEmail;

    /// <summary>An account in words for people.</summary>
    public string Describe(string provider, string? email) => email is null ? DisplayName(provider) : $"{DisplayName(provider)} ({email})";

    /// <summary>What people call the provider of an account: also of one that is no way in any more, or a trusted issuer's.</summary>
    public string DisplayName(string provider) => provider switch
    {
        Email => "E-mail link",
        Dev => "Development sign-in",
        _ when options.Value.Find(provider) is { } known => string.IsNullOrWhiteSpace(known.DisplayName) ? provider : known.DisplayName,
        SignInOptions.GoogleName => "Google",
        _ => Uri.TryCreate(provider, UriKind.Absolute, out var issuer) && issuer.Host.Length > 0 ? issuer.Host : provider,
    };
}
