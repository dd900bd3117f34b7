using System.Security.Claims;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Users;

namespace Pulse.Web.SignIn;

/// <summary>Who somebody has proven to be at a provider, and what it says of them.</summary>
/// <param name="Account">The account.</param>
/// <param name="Type">See <see cref="ExternalAccount.Type"/>.</param>
/// <param name="Profile">Checked and normalised; what broke a rule is left out.</param>
internal sealed record ExternalIdentity(AccountKey Account, string Type, ProfileUpdate Profile)
{
    // OpenID Connect Core 1.0 section 2.
    private const int MaxSubjectLength = 255;

    /// <summary>Reads the claims of a validated ID token; <see langword="null"/> if it has no usable <c>sub</c>.</summary>
    public static ExternalIdentity? FromClaims(string provider, ClaimsPrincipal principal)
    {
        if (principal.FindFirst("sub")?.Value is not { Length: > 0 and <= MaxSubjectLength } subject) return null;

        var hasEmail = EmailAddress.TryNormalize(principal.FindFirst("email")?.Value, out var email);
        return new(new(provider, subject), "oidc", new()
        {
            Email = email,
            // OpenID Connect Core 1.0 section 5.1; some providers send the text. Absent is not proven.
            EmailVerified = hasEmail && string.Equals(principal.FindFirst("email_verified")?.Value, "true", StringComparison.OrdinalIgnoreCase),
            Name = principal.FindFirst("name")?.Value is { } name && ProfileRules.NameFault(name) is null ? name : null,
            Avatar = principal.FindFirst("picture")?.Value is { } picture && ProfileRules.AvatarFault(picture) is null ? picture : null,
        });
    }

    /// <summary>Whoever reads that mailbox.</summary>
    public static ExternalIdentity FromMailbox(string email) =>
        new(new(SignInProviders.Email, email), "email", new() { Email = email, EmailVerified = true });

    /// <summary>Whoever somebody says to be, in Development.</summary>
    public static ExternalIdentity FromWord(string email, string? name) =>
        new(new(SignInProviders.Dev, email), "dev", new() { Email = email, EmailVerified = true, Name = name });
}
