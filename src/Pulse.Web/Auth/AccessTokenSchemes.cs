using Microsoft.Extensions.Options;

namespace Pulse.Web.Auth;

/// <summary>One authentication scheme per issuer, and which of them a token is for.</summary>
internal sealed class AccessTokenSchemes
{
    /// <summary>The scheme of Pulse's own tokens; also the one that turns down tokens that nobody else claims.</summary>
    public const string Own = "Pulse";

    private const string TrustedPrefix = "Issuer:";
    private readonly Dictionary<string, string> _byIssuer;

    public AccessTokenSchemes(IOptions<AuthOptions> options)
    {
        _byIssuer = options.Value.TrustedIssuers.ToDictionary(issuer => issuer.Issuer, ForTrusted, StringComparer.Ordinal);
        _byIssuer[options.Value.Issuer] = Own;
    }

    /// <summary>The scheme that checks this issuer's tokens.</summary>
    public static string ForTrusted(TrustedIssuerOptions issuer) => TrustedPrefix + issuer.Issuer;

    /// <summary>The scheme to check a token with, by its still unproven <c>iss</c>. Never fails: what cannot be read is <see cref="Own"/>'s to refuse.</summary>
    public string Select(string? token) =>
        AccessTokenHandler.Read(token)?.Issuer is { } issuer && _byIssuer.TryGetValue(issuer, out var scheme) ? scheme : Own;
}
