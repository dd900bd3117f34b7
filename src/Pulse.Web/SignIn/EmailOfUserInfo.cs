using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.OAuth.Claims;

namespace Pulse.Web.SignIn;

/// <summary>Takes address and proof together from the userinfo endpoint, but only if the ID token has neither.</summary>
/// <remarks>The framework's own mapping adds missing claims one by one, so that the proof could belong to another address.</remarks>
internal sealed class EmailOfUserInfo() : ClaimAction("email", ClaimValueTypes.String)
{
    private const string Proof = "email_verified";

    public override void Run(JsonElement userData, ClaimsIdentity identity, string issuer)
    {
        if (identity.HasClaim(claim => claim.Type is "email" or Proof)) return;
        foreach (var type in (string[])[ClaimType, Proof])
        {
            if (userData.TryGetProperty(type, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)
                identity.AddClaim(new(type, value.ToString(), ValueType, issuer));
        }
    }
}
