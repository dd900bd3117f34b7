using Microsoft.Extensions.Options;
using Pulse.Web.Auth;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>One way to sign in, as the sign-in page shows it.</summary>
/// <param name="Name">The provider's name: <c>google</c>, one from the settings, <see cref="SignInWays.Email"/> or <see cref="SignInWays.Dev"/>.</param>
/// <param name="DisplayName">What people call it.</param>
/// <param name="WhyNot">Why it cannot be used now, a sentence for people; <see langword="null"/> when it can.</param>
internal sealed record SignInWay(string Name, string DisplayName, string? WhyNot)
{
    /// <summary>Whether it can be used now, as far as is known.</summary>
    public bool Available => WhyNot is null;
}

/// <summary>Every way to sign in here. Asking costs nothing: who is away is found out in the background.</summary>
internal sealed class SignInWays(
    IOptions<SignInOptions> options, IOptions<AuthOptions> auth, OpenIdAvailability availability, IMailSender mail, IHostEnvironment environment)
{
    /// <summary>The e-mail link's name.</summary>
    public const string Email = "email";

    /// <summary>The name of signing in as anyone, in Development.</summary>
    public const string Dev = "dev";

    /// <summary>Whether anybody may sign in as anyone: asked of the environment too, because of what it gives away.</summary>
    public bool DevAllowed => environment.IsDevelopment() && auth.Value.DevSignIn;

    /// <summary>All of them, in the order of the page; those that cannot be used now say why.</summary>
    public IReadOnlyList<SignInWay> List() =>
    [
        .. OpenId(),
        new(Email, "E-mail link", mail.WhyNot),
        .. DevAllowed ? [new SignInWay(Dev, "Development", WhyNot: null)] : Array.Empty<SignInWay>(),
    ];

    /// <summary>The OpenID Connect providers among them.</summary>
    public IEnumerable<SignInWay> OpenId() => options.Value.All.Select(provider =>
        new SignInWay(provider.Key, DisplayName(provider.Key), availability.WhyNot(provider.Key)));

    /// <summary>What people call the provider of an account: also of one that is no way in any more, or a trusted issuer's.</summary>
    public string DisplayName(string provider) => provider switch
    {
        Email => "E-mail link",
        Dev => "Development",
        _ when options.Value.Find(provider) is { } known => string.IsNullOrWhiteSpace(known.DisplayName) ? provider : known.DisplayName,
        SignInOptions.GoogleName => "Google",
        _ => Uri.TryCreate(provider, UriKind.Absolute, out var issuer) && issuer.Host.Length > 0 ? issuer.Host : provider,
    };
}
