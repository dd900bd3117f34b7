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

/// <summary>Makes Pulse's own access tokens: ES256 under the key of <see cref="TokenKeys"/>, or HS256 while there is none to sign with.</summary>
internal sealed class TokenIssuer(IOptions<AuthOptions> options, TokenKeys keys, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
{
    // Times are set below, from the injected clock.
    private static readonly JsonWebTokenHandler s_handler = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly SigningCredentials _secret =
        new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(options.Value.SigningKey!)), SecurityAlgorithms.HmacSha256);

    /// <summary>A token that speaks for that user from now on, for <see cref="AuthOptions.AccessTokenLifetime"/>, and belongs to no session.</summary>
    /// <param name="user">The user; id, e-mail and name go into the token.</param>
    public AccessToken Issue(UserProfile user) => Issue(user, notAfter: DateTimeOffset.MaxValue, new Claim(JwtRegisteredClaimNames.Name, user.Name));

    /// <summary>As <see cref="Issue(UserProfile)"/>, for somebody who is signed in here: it ends with the session, and never outlives it.</summary>
    /// <remarks>
    /// Without name and picture, on purpose: <c>/auth/sync</c> takes a token's claims for what the profile should be, and a token that was made
    /// before the user edited their profile would undo the edit.
    /// </remarks>
    /// <param name="user">The user.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="sessionExpiresAt">When it ends unless used.</param>
    /// <param name="signedInAt">When it began; <see langword="null"/> where nothing that needs a recent sign-in is done with the token.</param>
    public AccessToken IssueForSession(UserProfile user, Guid sessionId, DateTimeOffset sessionExpiresAt, DateTimeOffset? signedInAt = null)
    {
        List<Claim> claims = [new(JwtRegisteredClaimNames.Sid, sessionId.ToString("D", CultureInfo.InvariantCulture))];
        if (signedInAt is { } at)
            claims.Add(new(JwtRegisteredClaimNames.AuthTime, at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ClaimValueTypes.Integer64));
        return Issue(user, sessionExpiresAt, [.. claims]);
    }

    private AccessToken Issue(UserProfile user, DateTimeOffset notAfter, params Claim[] extra)
    {
        // Whole seconds, as a NumericDate has (RFC 7519 section 2), so that the answer says what the token says.
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
