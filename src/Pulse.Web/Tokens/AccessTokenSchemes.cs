using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Tokens;

/// <summary>One set of <c>JwtBearerOptions</c> per issuer, one for all Auth.js applications together, and which of them a token is for.</summary>
internal sealed class AccessTokenSchemes
{
    /// <summary>The scheme of Pulse's own tokens; also the one that turns down tokens that nobody else claims.</summary>
    public const string Own = "Pulse";

    /// <summary>The scheme of encrypted tokens. They do not say whose they are; the key that opens them does.</summary>
    public const string AuthJs = "AuthJs";

    private const string TrustedPrefix = "Issuer:";
    private readonly Dictionary<string, string> _byIssuer;
    private readonly string _encrypted;

    public AccessTokenSchemes(IOptions<AuthOptions> options)
    {
        var authJs = options.Value.TrustedIssuers.Where(issuer => issuer.IsAuthJs).ToArray();
        _encrypted = authJs.Length > 0 ? AuthJs : Own;
        _byIssuer = options.Value.TrustedIssuers.Except(authJs).ToDictionary(issuer => issuer.Issuer, ForTrusted, StringComparer.Ordinal);
        _byIssuer[options.Value.Issuer] = Own;
    }

    /// <summary>The scheme that checks this issuer's tokens.</summary>
    public static string ForTrusted(TrustedIssuerOptions issuer) => TrustedPrefix + issuer.Issuer;

    // Without trusted issuers there is nothing to read the token for, once more than its check does.
    private bool IsOwnAlone => _byIssuer.Count == 1 && _encrypted == Own;

    /// <summary>The scheme to check a token with, by its form and its still unproven <c>iss</c>. Never fails: what cannot be read is <see cref="Own"/>'s to refuse.</summary>
    public string Select(string? token) => IsOwnAlone ? Own : AccessTokenHandler.Read(token) switch
    {
        { IsEncrypted: true } => _encrypted,
        { Issuer: { } issuer } when _byIssuer.TryGetValue(issuer, out var scheme) => scheme,
        _ => Own,
    };
}
