using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Pulse.Web.Auth;

/// <summary>
/// The identity of a caller with a valid token. It holds the parsed <see cref="Caller"/> instead of the token, which a socket would keep
/// for its whole life.
/// </summary>
/// <remarks>Immutable, because requests with the same token share it.</remarks>
internal sealed class CallerIdentity(Caller caller) : ClaimsIdentity(
    [new(JwtRegisteredClaimNames.Iss, caller.Issuer), new(JwtRegisteredClaimNames.Sub, caller.Subject)], Scheme)
{
    /// <summary>The scheme that accepted the token.</summary>
    public const string Scheme = "Bearer";

    /// <summary>The caller.</summary>
    public Caller Caller => caller;
}
