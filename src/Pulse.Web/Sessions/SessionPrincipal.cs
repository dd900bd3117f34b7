using System.Globalization;
using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;
using Pulse.Identity;
using Pulse.Web.Auth;

namespace Pulse.Web.Sessions;

/// <summary>
/// The principal of a cookie's session. It has the claims of an own token with that <c>sid</c>, so that <see cref="Caller"/> reads both in
/// the same way.
/// </summary>
internal static class SessionPrincipal
{
    /// <summary>Creates the principal.</summary>
    /// <param name="session">The live session.</param>
    /// <param name="userId">The session's user.</param>
    /// <param name="ownIssuer"><see cref="AuthOptions.Issuer"/>.</param>
    public static ClaimsPrincipal Create(SignInSession session, Guid userId, string ownIssuer) => new(new ClaimsIdentity(
        [
            new(JwtRegisteredClaimNames.Iss, ownIssuer),
            new(JwtRegisteredClaimNames.Sub, userId.ToString("D", CultureInfo.InvariantCulture)),
            new(JwtRegisteredClaimNames.Sid, session.Id.ToString("D", CultureInfo.InvariantCulture)),
            new(JwtRegisteredClaimNames.AuthTime, session.CreatedAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ClaimValueTypes.Integer64),
            new(JwtRegisteredClaimNames.Exp, session.ExpiresAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ClaimValueTypes.Integer64),
        ],
        SessionHandler.Scheme));

    /// <summary>Whether the caller was authenticated by the cookie, which browsers send automatically.</summary>
    public static bool IsFromCookie(ClaimsPrincipal principal) =>
        principal.Identities.Any(identity => identity.IsAuthenticated && identity.AuthenticationType == SessionHandler.Scheme);
}
