using System.Globalization;
using System.Security.Claims;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Silo.Clock;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Keys;

namespace Pulse.Web.Tokens;

/// <summary>Issues Pulse's own access tokens: ES256 with the key of <see cref="TokenKeys"/>, or HS256 while that key is missing.</summary>
internal sealed class TokenIssuer(IOptions<AuthOptions> options, TokenKeys keys, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
{
    // Times are set below, from the injected clock.
    private static readonly JsonWebTokenHandler s_handler = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly SigningCredentials _secret =
        new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(options.Value.SigningKey!)), SecurityAlgorithms.HmacSha256);

    /// <summary>A token for that user, valid from now for <see cref="AuthOptions.AccessTokenLifetime"/>, without a session.</summary>
    /// <param name="user">The user. Id, e-mail and name are part of the token.</param>
    public AccessToken Issue(UserProfile user) => Issue(user, notAfter: DateTimeOffset.MaxValue, new Claim(JwtRegisteredClaimNames.Name, user.Name));

    /// <summary>As <see cref="Issue(UserProfile)"/>, for a signed-in user. The token ends with the session and never outlives it.</summary>
    /// <remarks>
    /// Name and picture are left out on purpose: <c>/auth/sync</c> writes a token's claims to the profile, and a token from before an edit
    /// of the profile would undo the edit.
    /// </remarks>
    /// <param name="user">The user.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="sessionExpiresAt">When the session expires unless it is used.</param>
    /// <param name="signedInAt">When the session began. <see langword="null"/> if the token is not used for actions that require a recent
    /// sign-in.</param>
    public AccessToken IssueForSession(UserProfile user, Guid sessionId, DateTimeOffset sessionExpiresAt, DateTimeOffset? signedInAt = null)
    {
        List<Claim> claims = [new(JwtRegisteredClaimNames.Sid, sessionId.ToString("D", CultureInfo.InvariantCulture))];
        if (signedInAt is { } at)
            claims.Add(new(JwtRegisteredClaimNames.AuthTime, at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ClaimValueTypes.Integer64));
        return Issue(user, sessionExpiresAt, [.. claims]);
    }

    private AccessToken Issue(UserProfile user, DateTimeOffset notAfter, params Claim[] extra)
    {
        // Whole seconds, as a NumericDate has (RFC 7519 section 2), so that the answer matches the token.
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var wanted = time.GetUtcNow() + options.Value.AccessTokenLifetime;
        var expiresAt = DateTimeOffset.FromUnixTimeSeconds((wanted < notAfter ? wanted : notAfter).ToUnixTimeSeconds());

        var subject = new ClaimsIdentity(
        [
            new(JwtRegisteredClaimNames.Sub, user.Id.ToString("D", CultureInfo.InvariantCulture)),
            new(JwtRegisteredClaimNames.Email, user.Email),
            new(JwtRegisteredClaimNames.EmailVerified, user.EmailVerified ? "true" : "false", ClaimValueTypes.Boolean),
            new(JwtRegisteredClaimNames.Jti, Guid.CreateVersion7(now).ToString("D", CultureInfo.InvariantCulture)),
            .. extra,
        ]);

        var token = s_handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = options.Value.Issuer,
            Audience = options.Value.Audience,
            Subject = subject,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = expiresAt.UtcDateTime,
            SigningCredentials = keys.Credentials ?? _secret,
        });
        return new AccessToken(token, expiresAt);
    }
}
