using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>
/// The issuer of an authority that serves many tenants, such as Entra's <c>organizations</c>. It is a template, and each tenant's tokens
/// name an instance of it.
/// </summary>
/// <remarks>
/// Microsoft's own validator (Microsoft.IdentityModel.Validators) reads the metadata again, over a connection that cannot be configured
/// here. The rule itself is one comparison. A tenant's administrator controls its accounts' claims, so such a token never proves an
/// address.
/// </remarks>
internal static class TenantIssuer
{
    /// <summary>The claim that names the tenant.</summary>
    public const string TenantClaim = "tid";

    private const string Placeholder = "{tenantid}";

    // The authorities whose discovery document contains the template.
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

    /// <summary>Configures the validation of tokens from an authority that serves many tenants.</summary>
    public static void Check(TokenValidationParameters rules)
    {
        rules.IssuerValidatorUsingConfiguration = (issuer, token, _, configuration) =>
            // Another program's authority may have such a path with a single issuer.
            (IsTemplate(configuration?.Issuer) ? IsInstance(configuration!.Issuer, issuer, TenantOf(token)) : string.Equals(issuer, configuration?.Issuer, StringComparison.Ordinal))
                ? issuer
                : throw new SecurityTokenInvalidIssuerException("The token's issuer is not its tenant's.");

        // Some of the published keys belong to one tenant alone, and such a key must not sign another tenant's tokens.
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
