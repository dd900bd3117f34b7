using System.Globalization;
using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;
using Pulse.Identity;
using Pulse.Web.Auth;

namespace Pulse.Web.Sessions;

/// <summary>The principal of a cookie's session: the claims of an own token with that <c>sid</c>, so that <see cref="Caller"/> reads both alike.</summary>
internal static class SessionPrincipal
{
    /// <summary>Makes the principal.</summary>
    /// <param name="session">The live session.</param>
    /// <param name="userId">Whose it is.</param>
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

    /// <summary>Whether the caller is known by the cookie, which browsers send without being asked.</summary>
    public static bool IsFromCookie(ClaimsPrincipal principal) =>
        principal.Identities.Any(identity => identity.IsAuthenticated && identity.AuthenticationType == SessionHandler.Scheme);
}
