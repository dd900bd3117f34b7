using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Pulse.Web.Auth;

/// <summary>The identity of whoever brought a valid token: <see cref="Caller"/> as it was read once, and not the token, which a socket would keep for as long as it lives.</summary>
/// <remarks>Never changed after it is made: requests with the same token share it.</remarks>
internal sealed class CallerIdentity(Caller caller) : ClaimsIdentity(
    [new(JwtRegisteredClaimNames.Iss, caller.Issuer), new(JwtRegisteredClaimNames.Sub, caller.Subject)], Scheme)
{
    /// <summary>The scheme that accepted the token.</summary>
    public const string Scheme = "Bearer";

    /// <summary>Who it is.</summary>
    public Caller Caller => caller;
}
