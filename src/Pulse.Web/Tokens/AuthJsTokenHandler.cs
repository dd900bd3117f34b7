using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Auth;

namespace Pulse.Web.Tokens;

/// <summary>Checks the session tokens of Auth.js 5: encrypted, not signed (compact JWE, <c>alg: dir</c>, <c>enc: A256CBC-HS512</c>).</summary>
/// <remarks>
/// The framework decrypts, which proves that whoever made the token has the key, and then checks the claims; but it expects a signed token inside,
/// and Auth.js puts the bare claims there. They name no issuer and no audience: the issuer is the one whose key it was.
/// </remarks>
/// <param name="keys">The keys of every trusted Auth.js application; each key belongs to one.</param>
/// <param name="time">See <see cref="AccessTokenHandler"/>.</param>
internal sealed class AuthJsTokenHandler(IReadOnlyList<AuthJsKey> keys, TimeProvider time) : JsonWebTokenHandler
{
    /// <summary>The one <c>enc</c> that is accepted.</summary>
    public const string Encryption = SecurityAlgorithms.Aes256CbcHmacSha512;

    // RFC 7518 section 5.2.5: 16 bytes of initialization vector and 32 of tag, as characters of base64url.
    private const int VectorLength = 22;
    private const int TagLength = 43;

    // An application may keep anything in its tokens, another provider's tokens and iss among it; only these are Pulse's business.
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
        if (Open(sealedToken) is not var (issuer, payload)) return Invalid(new SecurityTokenDecryptionFailedException("No key opens the token."));
        if (ReadClaims(issuer, payload) is not { } claims) return Invalid(new SecurityTokenMalformedException("The token holds no claims."));
        if ((AccessTokenHandler.SubjectFault(claims) ?? AccessTokenHandler.ClaimsFault(claims, time)) is { } claimsFault) return Invalid(claimsFault);

        var rules = validationParameters.Clone();
        // The tag was the signature.
        rules.SignatureValidator = (_, _) => claims;
        return await base.ValidateTokenAsync(claims, rules);
    }

    private static Exception? FaultOf(JsonWebToken token)
    {
        // RFC 8725 section 3.1, as for signed tokens: what a token says of its algorithm is compared, not followed.
        if (token.Alg != JwtConstants.DirectKeyUseAlg || token.Enc != Encryption)
            return new SecurityTokenInvalidAlgorithmException("The token is not encrypted as Auth.js does it.");

        // RFC 8725 section 3.6 advises against compression, and what is compressed can be any size once it is not. Auth.js compresses nothing.
        if (token.TryGetHeaderValue<object>("zip", out _) || token.TryGetHeaderValue<object>("crit", out _))
            return new SecurityTokenValidationException("The token is compressed or has critical header parameters.");

        // RFC 7516 section 5.2, step 10: no encrypted key with dir. Sizes are compared here, so as not to depend on what a library makes of a cut or longer tag.
        return token.EncodedToken.Split('.') is [_, "", { Length: VectorLength }, _, { Length: TagLength }]
            ? null
            : new SecurityTokenMalformedException("The token's parts are not those of its algorithm.");
    }

    private (string Issuer, string Payload)? Open(JsonWebToken token)
    {
        foreach (var (issuer, key) in keys)
        {
            // Auth.js names the key. RFC 7516 section 4.1.6 leaves that to the sender; without a name every key is tried.
            if (token.Kid is { Length: > 0 } kid && !string.Equals(kid, key.KeyId, StringComparison.Ordinal)) continue;
            try
            {
                return (issuer, DecryptToken(token, new TokenValidationParameters { TokenDecryptionKeyResolver = (_, _, _, _) => [key] }));
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // A wrong tag; or no base64url, of which the framework throws whatever its parsers throw.
            }
        }

        return null;
    }

    // As an unsigned token, the form in which the framework checks times and makes a principal.
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

            // A number would be read as its digits: another person's subject, perhaps.
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
