using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>Validates ID tokens, which must be signed.</summary>
/// <remarks>
/// In the code flow the framework accepts an ID token without any signature, as OpenID Connect Core 1.0 section 3.1.3.7 (6) allows if TLS
/// protects the token endpoint. Pulse does not rely on TLS alone: a proxy that inspects TLS, or plain http in Development, could sign in
/// anyone as any user.
/// </remarks>
internal sealed class IdTokenHandler : JsonWebTokenHandler
{
    public override Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        validationParameters.RequireSignedTokens = true;
        return base.ValidateTokenAsync(token, validationParameters);
    }
}
