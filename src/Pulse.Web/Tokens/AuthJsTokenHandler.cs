using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Auth;

namespace Pulse.Web.Tokens;

/// <summary>
/// Validates the session tokens of Auth.js 5, which are encrypted instead of signed (compact JWE, <c>alg: dir</c>, <c>enc:
/// A256CBC-HS512</c>).
/// </summary>
/// <remarks>
/// The framework decrypts, which proves that the token's author has the key, and then checks the claims. But it expects a signed token
/// inside, and Auth.js puts the bare claims there. They lack issuer and audience, so the issuer is the one with the key.
/// </remarks>
/// <param name="keys">The keys of every trusted Auth.js application. Each key belongs to one.</param>
/// <param name="time">See <see cref="AccessTokenHandler"/>.</param>
internal sealed class AuthJsTokenHandler(IReadOnlyList<AuthJsKey> keys, TimeProvider time) : JsonWebTokenHandler
{
    /// <summary>The only accepted <c>enc</c>.</summary>
    public const string Encryption = SecurityAlgorithms.Aes256CbcHmacSha512;

    // RFC 7518 section 5.2.5: 16 bytes of initialization vector and 32 of tag, in characters of base64url.
    private const int VectorLength = 22;
    private const int TagLength = 43;

    // An application may store any claims in its tokens, including another provider's tokens and iss. Pulse uses only these.
    private static readonly string[] s_claims =
    [
        JwtRegisteredClaimNames.Sub, JwtRegisteredClaimNames.Email, JwtRegisteredClaimNames.EmailVerified, JwtRegisteredClaimNames.Name,
        JwtRegisteredClaimNames.Picture, JwtRegisteredClaimNames.Exp, JwtRegisteredClaimNames.Nbf, JwtRegisteredClaimNames.Iat, JwtRegisteredClaimNames.Jti,
    ];

    private static readonly JsonDocumentOptions s_json = new() { AllowDuplicateProperties = false };

    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        if (AccessTokenHandler.Read(token) is not { } sealedToken) return Invalid(new SecurityTokenMalformedException("The token cannot be read."));
        if (FaultOf(sealedToken) is { } fault) return Invalid(fault);
        if (Open(sealedToken) is not var (issuer, payload)) return Invalid(new SecurityTokenDecryptionFailedException("No key decrypts the token."));
        if (ReadClaims(issuer, payload) is not { } claims) return Invalid(new SecurityTokenMalformedException("The token holds no claims."));
        if ((AccessTokenHandler.SubjectFault(claims) ?? AccessTokenHandler.ClaimsFault(claims, time)) is { } claimsFault) return Invalid(claimsFault);

        var rules = validationParameters.Clone();
        // The verified tag replaces the signature.
        rules.SignatureValidator = (_, _) => claims;
        return await base.ValidateTokenAsync(claims, rules);
    }

    private static Exception? FaultOf(JsonWebToken token)
    {
        // RFC 8725 section 3.1, as for signed tokens: the token's algorithm is compared with the expected one instead of trusted.
        if (token.Alg != JwtConstants.DirectKeyUseAlg || token.Enc != Encryption)
            return new SecurityTokenInvalidAlgorithmException("The token is not encrypted as Auth.js does it.");

        // RFC 8725 section 3.6 advises against compression, because compressed data can grow to any size. Auth.js compresses nothing.
        if (token.TryGetHeaderValue<object>("zip", out _) || token.TryGetHeaderValue<object>("crit", out _))
            return new SecurityTokenValidationException("The token is compressed or has critical header parameters.");

        // RFC 7516 section 5.2, step 10: no encrypted key with dir. Sizes are compared here, so that the result does not depend on a
        // library's treatment of a cut or longer tag.
        return token.EncodedToken.Split('.') is [_, "", { Length: VectorLength }, _, { Length: TagLength }]
            ? null
            : new SecurityTokenMalformedException("The token's parts are not those of its algorithm.");
    }

    private (string Issuer, string Payload)? Open(JsonWebToken token)
    {
        foreach (var (issuer, key) in keys)
        {
            // Auth.js names the key. RFC 7516 section 4.1.6 makes the name optional. If it is missing, every key is tried.
            if (token.Kid is { Length: > 0 } kid && !string.Equals(kid, key.KeyId, StringComparison.Ordinal)) continue;
            try
            {
                return (issuer, DecryptToken(token, new TokenValidationParameters { TokenDecryptionKeyResolver = (_, _, _, _) => [key] }));
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // A wrong tag, or malformed base64url, for which the framework throws any exception of its parsers.
            }
        }

        return null;
    }

    // Built as an unsigned token, the form in which the framework checks times and creates a principal.
    private static JsonWebToken? ReadClaims(string issuer, string payload)
    {
        try
        {
            if (JsonNode.Parse(payload, documentOptions: s_json) is not JsonObject all) return null;

            var claims = new JsonObject { [JwtRegisteredClaimNames.Iss] = issuer };
            foreach (var name in s_claims)
            {
                if (all[name] is { } value) claims[name] = value.DeepClone();
            }

            // The framework would read a number as its digits, which may be another person's subject.
            if (claims[JwtRegisteredClaimNames.Sub]?.GetValueKind() != JsonValueKind.String) claims.Remove(JwtRegisteredClaimNames.Sub);
            return new JsonWebToken("""{"alg":"none"}""", claims.ToJsonString());
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // As in AccessTokenHandler.Read.
            return null;
        }
    }

    private static TokenValidationResult Invalid(Exception fault) => new() { IsValid = false, Exception = fault };
}
