using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Tokens;

/// <summary>
/// Selects the authentication scheme of a token. Each issuer has its own <c>JwtBearerOptions</c>. All Auth.js applications share one.
/// </summary>
internal sealed class AccessTokenSchemes
{
    /// <summary>The scheme of Pulse's own tokens. It also refuses tokens of unknown issuers.</summary>
    public const string Own = "Pulse";

    /// <summary>
    /// The scheme of encrypted tokens. The key that decrypts a token identifies its issuer, because the token omits it.
    /// </summary>
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

    /// <summary>The scheme for this issuer's tokens.</summary>
    public static string ForTrusted(TrustedIssuerOptions issuer) => TrustedPrefix + issuer.Issuer;

    // If only Pulse issues tokens, a second parsing to select a scheme is superfluous.
    private bool IsOwnAlone => _byIssuer.Count == 1 && _encrypted == Own;

    /// <summary>
    /// The scheme for a token, by its form and its unverified <c>iss</c>. Never fails: <see cref="Own"/> refuses unreadable tokens.
    /// </summary>
    public string Select(string? token) => IsOwnAlone ? Own : AccessTokenHandler.Read(token) switch
    {
        { IsEncrypted: true } => _encrypted,
        { Issuer: { } issuer } when _byIssuer.TryGetValue(issuer, out var scheme) => scheme,
        _ => Own,
    };
}
