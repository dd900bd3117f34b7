using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>The issuer of an authority that serves many tenants, such as Entra's <c>organizations</c>: a template, of which each tenant's tokens name an instance.</summary>
/// <remarks>
/// Microsoft's own validator (Microsoft.IdentityModel.Validators) reads the metadata again, over a connection that cannot be set up here; the rule itself is
/// one comparison. A tenant's administrator chooses what its accounts say of themselves, so nothing that such a token says of an address is a proof.
/// </remarks>
internal static class TenantIssuer
{
    /// <summary>The claim that names the tenant.</summary>
    public const string TenantClaim = "tid";

    private const string Placeholder = "{tenantid}";

    // The authorities whose discovery document has the template.
    private static readonly string[] s_tenants = ["common", "organizations"];

    /// <summary>Whether the authority serves many tenants.</summary>
    public static bool IsFor(string? authority) =>
        Uri.TryCreate(authority, UriKind.Absolute, out var uri)
        && uri.AbsolutePath.TrimStart('/').Split('/')[0] is var first && s_tenants.Contains(first, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the discovered issuer is a template.</summary>
    public static bool IsTemplate(string? issuer) => issuer?.Contains(Placeholder, StringComparison.Ordinal) == true;

    /// <summary>Whether the issuer is the template of that authority.</summary>
    public static bool IsTemplateOf(string authority, string? issuer) => issuer?.Split(Placeholder) is [var before, var after]
        && s_tenants.Any(tenant => string.Equals($"{before}{tenant}{after}".TrimEnd('/'), authority.TrimEnd('/'), StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the issuer is the template's instance for that tenant.</summary>
    public static bool IsInstance(string? template, string? issuer, string? tenant) =>
        template is not null && Guid.TryParseExact(tenant, "D", out _)
        && string.Equals(template.Replace(Placeholder, tenant, StringComparison.Ordinal), issuer, StringComparison.Ordinal);

    /// <summary>Sets up the check of the tokens of an authority that serves many tenants.</summary>
    public static void Check(TokenValidationParameters rules)
    {
        rules.IssuerValidatorUsingConfiguration = (issuer, token, _, configuration) =>
            // Another program's authority may have such a path, and one issuer.
            (IsTemplate(configuration?.Issuer) ? IsInstance(configuration!.Issuer, issuer, TenantOf(token)) : string.Equals(issuer, configuration?.Issuer, StringComparison.Ordinal))
                ? issuer
                : throw new SecurityTokenInvalidIssuerException("The token's issuer is not its tenant's.");

        // Of the keys that are published together some belong to one tenant alone: its key must not sign another tenant's tokens.
        rules.IssuerSigningKeyValidatorUsingConfiguration = (key, token, _, configuration) =>
            configuration is OpenIdConnectConfiguration { JsonWebKeySet: { } published }
            && published.Keys.Where(published => published.Kid == key.KeyId).All(published => IsOwnKey(published, token));
    }

    private static bool IsOwnKey(JsonWebKey key, SecurityToken token) =>
        !key.AdditionalData.TryGetValue("issuer", out var issuer)
        || string.Equals(issuer?.ToString()?.Replace(Placeholder, TenantOf(token), StringComparison.Ordinal), token.Issuer, StringComparison.Ordinal);

    private static string? TenantOf(SecurityToken token) =>
        token is Microsoft.IdentityModel.JsonWebTokens.JsonWebToken jwt && jwt.TryGetPayloadValue<string>(TenantClaim, out var tenant) ? tenant : null;
}
