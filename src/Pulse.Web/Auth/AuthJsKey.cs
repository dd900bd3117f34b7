using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Auth;

/// <summary>A key that an Auth.js application encrypts its session tokens under, and the issuer whose key it is.</summary>
/// <remarks>
/// What Auth.js 5 does (<c>@auth/core</c>, <c>jwt.js</c>): HKDF-SHA256 over the secret, with the name of the session cookie as the salt; the
/// key's thumbprint (RFC 7638) is the tokens' <c>kid</c>. The cookie's name, and with it the key, depends on whether the site is served over https.
/// </remarks>
/// <param name="Issuer">The configured name of the application: <see cref="TrustedIssuerOptions.Issuer"/>.</param>
/// <param name="Key">The key; its <see cref="SecurityKey.KeyId"/> is the thumbprint.</param>
internal sealed record AuthJsKey(string Issuer, SymmetricSecurityKey Key)
{
    // A256CBC-HS512 takes two keys of 32 bytes (RFC 7518 section 5.2.5).
    private const int KeyBytes = 64;

    private static readonly string[] s_defaultCookies = ["authjs.session-token", "__Secure-authjs.session-token"];

    /// <summary>Every key of that application: one for each cookie name it may use.</summary>
    /// <param name="issuer">Valid options of kind <see cref="TrustedIssuerOptions.AuthJs"/>.</param>
    public static IEnumerable<AuthJsKey> Of(TrustedIssuerOptions issuer) =>
        CookieNames(issuer).Select(cookie => new AuthJsKey(issuer.Issuer, Derive(issuer.SigningKey!, cookie)));

    /// <summary>The names that the application's session cookie may have.</summary>
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

        // RFC 7638 section 3, with SHA-512; the framework's own thumbprint is SHA-256.
        var thumbprint = SHA512.HashData(Encoding.UTF8.GetBytes($$"""{"k":"{{Base64Url.EncodeToString(key)}}","kty":"oct"}"""));
        return new SymmetricSecurityKey(key) { KeyId = Base64Url.EncodeToString(thumbprint) };
    }
}
