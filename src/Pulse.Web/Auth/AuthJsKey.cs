using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Auth;

/// <summary>A key with which an Auth.js application encrypts its session tokens, and the issuer of the key.</summary>
/// <remarks>
/// The derivation of Auth.js 5 (<c>@auth/core</c>, <c>jwt.js</c>): HKDF-SHA256 over the secret, with the name of the session cookie as the
/// salt. The key's thumbprint (RFC 7638) is the tokens' <c>kid</c>. The cookie's name, and with it the key, depends on whether the site is
/// served over https.
/// </remarks>
/// <param name="Issuer">The configured name of the application: <see cref="TrustedIssuerOptions.Issuer"/>.</param>
/// <param name="Key">The key. Its <see cref="SecurityKey.KeyId"/> is the thumbprint.</param>
internal sealed record AuthJsKey(string Issuer, SymmetricSecurityKey Key)
{
    // A256CBC-HS512 takes two keys of 32 bytes (RFC 7518 section 5.2.5).
    private const int KeyBytes = 64;

    private static readonly string[] s_defaultCookies = ["authjs.session-token", "__Secure-authjs.session-token"];

    /// <summary>All keys of that application: one for each possible cookie name.</summary>
    /// <param name="issuer">Valid options of kind <see cref="TrustedIssuerOptions.AuthJs"/>.</param>
    public static IEnumerable<AuthJsKey> Of(TrustedIssuerOptions issuer) =>
        CookieNames(issuer).Select(cookie => new AuthJsKey(issuer.Issuer, Derive(issuer.SigningKey!, cookie)));

    /// <summary>The possible names of the application's session cookie.</summary>
    public static IEnumerable<string> CookieNames(TrustedIssuerOptions issuer) =>
        string.IsNullOrEmpty(issuer.CookieName) ? s_defaultCookies : [issuer.CookieName];

    private static SymmetricSecurityKey Derive(string secret, string cookie)
    {
        var key = HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Encoding.UTF8.GetBytes(secret),
            KeyBytes,
            salt: Encoding.UTF8.GetBytes(cookie),
            info: Encoding.UTF8.GetBytes($"Auth.js Generated Encryption Key ({cookie})"));

        // RFC 7638 section 3, with SHA-512. The framework's own thumbprint uses SHA-256.
        var thumbprint = SHA512.HashData(Encoding.UTF8.GetBytes($$"""{"k":"{{Base64Url.EncodeToString(key)}}","kty":"oct"}"""));
        return new SymmetricSecurityKey(key) { KeyId = Base64Url.EncodeToString(thumbprint) };
    }
}
