using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>Rules that a provider's discovery document must satisfy before people are sent to the provider.</summary>
/// <param name="authority">The configured issuer URL.</param>
/// <param name="requireHttps">Set outside Development.</param>
internal sealed class OpenIdDiscoveryRules(string authority, bool requireHttps) : IConfigurationValidator<OpenIdConnectConfiguration>
{
    public ConfigurationValidationResult Validate(OpenIdConnectConfiguration configuration) =>
        FindFault(configuration) is { } fault ? new() { Succeeded = false, ErrorMessage = fault.ToString() } : new() { Succeeded = true };

    /// <summary>The broken rule, as the end of a sentence about the provider.</summary>
    public Words? FindFault(OpenIdConnectConfiguration configuration)
    {
        // OpenID Connect Discovery 1.0 section 4.3: the document's issuer must be the configured one. Otherwise another party has answered.
        if (!string.Equals(configuration.Issuer?.TrimEnd('/'), authority.TrimEnd('/'), StringComparison.Ordinal)
            && !TenantIssuer.IsTemplateOf(authority, configuration.Issuer))
        {
            return (Words)"its discovery document is another issuer's";
        }

        if (!IsEndpoint(configuration.AuthorizationEndpoint) || !IsEndpoint(configuration.TokenEndpoint) || !IsEndpoint(configuration.JwksUri))
            return (Words)"its discovery document lacks a usable endpoint";
        return configuration.SigningKeys.Count == 0 ? (Words)"it publishes no usable keys" : (Words?)null;
    }

    private bool IsEndpoint(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && !requireHttps));
}
