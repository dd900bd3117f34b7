using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>Validates ID tokens, which must be signed.</summary>
/// <remarks>
/// In the code flow the framework takes an ID token without any signature, as OpenID Connect Core 1.0 section 3.1.3.7 (6) allows where TLS vouches for
/// the token endpoint. Pulse does not lean on TLS alone: a proxy that inspects it, or plain http in Development, would make anybody everybody.
/// </remarks>
internal sealed class IdTokenHandler : JsonWebTokenHandler
{
    public override Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        validationParameters.RequireSignedTokens = true;
        return base.ValidateTokenAsync(token, validationParameters);
    }
}
