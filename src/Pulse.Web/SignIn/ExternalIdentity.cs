using System.Security.Claims;
using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Profiles;

namespace Pulse.Web.SignIn;

/// <summary>A person's proven identity at a provider, with the profile from there.</summary>
/// <param name="Account">The account.</param>
/// <param name="Type">See <see cref="ExternalAccount.Type"/>.</param>
/// <param name="Profile">Validated and normalized. Invalid values are left out.</param>
internal sealed record ExternalIdentity(AccountKey Account, string Type, ProfileUpdate Profile)
{
    /// <summary>The organisation that manages the account, from Google's <c>hd</c> claim.</summary>
    public string? HostedDomain { get; init; }

    /// <summary>Reads the claims of a validated ID token. <see langword="null"/> if it has no usable <c>sub</c>.</summary>
    /// <param name="provider">The provider's name.</param>
    /// <param name="joinsByEmail">See <see cref="OpenIdProviderOptions.JoinsByEmail"/>.</param>
    /// <param name="principal">The claims.</param>
    public static ExternalIdentity? FromClaims(string provider, bool? joinsByEmail, ClaimsPrincipal principal)
    {
        if (Only(principal, "sub") is not { } subject || !Subjects.IsUsable(subject)) return null;

        var stated = Only(principal, "email");
        var hasEmail = EmailAddress.TryNormalize(stated, out var email);
        // OpenID Connect Core 1.0 section 5.1. Some providers send the text "true". A missing claim counts as unproven.
        var isVerified = hasEmail && EmailAddress.IsSameMailbox(stated!, email!)
            && string.Equals(Only(principal, "email_verified"), "true", StringComparison.OrdinalIgnoreCase);
        return new(new(provider, subject), "oidc", new()
        {
            Email = email,
            EmailVerified = isVerified,
            JoinsByEmail = isVerified && (joinsByEmail ?? (provider == OpenIdOptions.GoogleName && IsGooglesOwn(email!, principal))),
            Name = ProfileRules.UsableName(Only(principal, "name")),
            Avatar = Only(principal, "picture") is { } picture && ProfileRules.AvatarFault(picture) is null ? picture : null,
        })
        {
            // The claim has this meaning only for Google.
            HostedDomain = provider == OpenIdOptions.GoogleName ? Only(principal, "hd") : null,
        };
    }

    /// <summary>As <see cref="FromClaims"/>, for a provider that serves many tenants. See <see cref="TenantIssuer"/>.</summary>
    public static ExternalIdentity? FromTenant(string provider, ClaimsPrincipal principal) =>
        Only(principal, TenantIssuer.TenantClaim) is { } tenant && FromClaims(provider, joinsByEmail: false, principal) is { } who
            ? who with
            {
                Account = who.Account with { ProviderAccountId = $"{tenant}/{who.Account.ProviderAccountId}" },
                Profile = who.Profile with { EmailVerified = false },
            }
            : null;

    /// <summary>The identity of the reader of that mailbox.</summary>
    public static ExternalIdentity FromMailbox(string email) =>
        new(new(SignInProviders.Email, email), "email", new() { Email = email, EmailVerified = true, JoinsByEmail = true });

    /// <summary>An identity without proof, in Development.</summary>
    public static ExternalIdentity FromWord(string email, string? name) =>
        new(new(SignInProviders.Dev, email), "dev", new() { Email = email, EmailVerified = true, JoinsByEmail = true, Name = name });

    // Google's advice: it is authoritative for addresses at gmail.com and for those of its Workspace customers, whose accounts have an hd
    // claim. Any other address belonged to the person when the Google account was created, and may have been reassigned since.
    private static bool IsGooglesOwn(string email, ClaimsPrincipal principal) =>
        email.EndsWith("@gmail.com", StringComparison.Ordinal) || !string.IsNullOrEmpty(Only(principal, "hd"));

    // A list of values is ambiguous. RFC 7519 section 4: names are compared case-sensitively, unlike in FindAll.
    private static string? Only(ClaimsPrincipal principal, string type) =>
        principal.FindAll(claim => claim.Type == type).Take(2).ToArray() is [var claim] ? claim.Value : null;
}
