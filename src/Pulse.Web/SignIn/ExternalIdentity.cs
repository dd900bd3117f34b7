using System.Security.Claims;
using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Profiles;

namespace Pulse.Web.SignIn;

/// <summary>Who somebody has proven to be at a provider, and what it says of them.</summary>
/// <param name="Account">The account.</param>
/// <param name="Type">See <see cref="ExternalAccount.Type"/>.</param>
/// <param name="Profile">Checked and normalised; what broke a rule is left out.</param>
internal sealed record ExternalIdentity(AccountKey Account, string Type, ProfileUpdate Profile)
{
    // OpenID Connect Core 1.0 section 2.
    private const int MaxSubjectLength = 255;

    /// <summary>The organisation that manages the account, by Google's <c>hd</c> claim.</summary>
    public string? HostedDomain { get; init; }

    /// <summary>Reads the claims of a validated ID token; <see langword="null"/> if it has no usable <c>sub</c>.</summary>
    /// <param name="provider">Its name.</param>
    /// <param name="joinsByEmail">See <see cref="OpenIdProviderOptions.JoinsByEmail"/>.</param>
    /// <param name="principal">The claims.</param>
    public static ExternalIdentity? FromClaims(string provider, bool? joinsByEmail, ClaimsPrincipal principal)
    {
        if (Only(principal, "sub") is not { Length: > 0 and <= MaxSubjectLength } subject) return null;

        var stated = Only(principal, "email");
        var hasEmail = EmailAddress.TryNormalize(stated, out var email);
        // OpenID Connect Core 1.0 section 5.1; some providers send the text. Absent is not proven.
        var isVerified = hasEmail && string.Equals(Only(principal, "email_verified"), "true", StringComparison.OrdinalIgnoreCase);
        return new(new(provider, subject), "oidc", new()
        {
            Email = email,
            EmailVerified = isVerified,
            // The address as the provider spells it: NFKC makes one mailbox of some that the provider may have verified as two.
            JoinsByEmail = isVerified && string.Equals(stated, email, StringComparison.OrdinalIgnoreCase)
                && (joinsByEmail ?? (provider == SignInOptions.GoogleName && IsGooglesOwn(email!, principal))),
            Name = ProfileRules.UsableName(Only(principal, "name")),
            Avatar = Only(principal, "picture") is { } picture && ProfileRules.AvatarFault(picture) is null ? picture : null,
        })
        {
            // Another provider's claim of that name means nothing.
            HostedDomain = provider == SignInOptions.GoogleName ? Only(principal, "hd") : null,
        };
    }

    /// <summary>As <see cref="FromClaims"/>, for a provider that serves many tenants; see <see cref="TenantIssuer"/>.</summary>
    public static ExternalIdentity? FromTenant(string provider, ClaimsPrincipal principal) =>
        Only(principal, TenantIssuer.TenantClaim) is { } tenant && FromClaims(provider, joinsByEmail: false, principal) is { } who
            ? who with
            {
                Account = who.Account with { ProviderAccountId = $"{tenant}/{who.Account.ProviderAccountId}" },
                Profile = who.Profile with { EmailVerified = false },
            }
            : null;

    /// <summary>Whoever reads that mailbox.</summary>
    public static ExternalIdentity FromMailbox(string email) =>
        new(new(SignInProviders.Email, email), "email", new() { Email = email, EmailVerified = true, JoinsByEmail = true });

    /// <summary>Whoever somebody says to be, in Development.</summary>
    public static ExternalIdentity FromWord(string email, string? name) =>
        new(new(SignInProviders.Dev, email), "dev", new() { Email = email, EmailVerified = true, JoinsByEmail = true, Name = name });

    // Google's advice: it is authoritative for addresses at gmail.com and for those of its Workspace customers, whose accounts have an hd claim. Another
    // address was the person's when the Google account was made, and may have been re-issued since.
    private static bool IsGooglesOwn(string email, ClaimsPrincipal principal) =>
        email.EndsWith("@gmail.com", StringComparison.Ordinal) || !string.IsNullOrEmpty(Only(principal, "hd"));

    // Of a list of values no reader could say which one is meant. RFC 7519 section 4: names are compared by case, which FindAll does not do.
    private static string? Only(ClaimsPrincipal principal, string type) =>
        principal.FindAll(claim => claim.Type == type).Take(2).ToArray() is [var claim] ? claim.Value : null;
}
