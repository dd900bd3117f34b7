using System.Globalization;
using System.Security.Claims;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Users;

namespace Pulse.Web.Auth;

/// <summary>Makes Pulse's own access tokens (HS256).</summary>
internal sealed class TokenIssuer(IOptions<AuthOptions> options, TimeProvider time)
{
    // Times are set below, from the injected clock.
    private static readonly JsonWebTokenHandler s_handler = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly SigningCredentials _credentials =
        new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(options.Value.SigningKey!)), SecurityAlgorithms.HmacSha256);

    /// <summary>A token that speaks for that user from now on, for <see cref="AuthOptions.AccessTokenLifetime"/>.</summary>
    /// <param name="user">The user; id, e-mail and name go into the token.</param>
    /// <param name="sessionId">The sign-in session (<c>sid</c>) that ends the token when it ends; <see langword="null"/> for none.</param>
    public AccessToken Issue(UserProfile user, string? sessionId = null)
    {
        // Whole seconds, as a NumericDate has (RFC 7519 section 2), so that the answer says what the token says.
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var expiresAt = DateTimeOffset.FromUnixTimeSeconds((time.GetUtcNow() + options.Value.AccessTokenLifetime).ToUnixTimeSeconds());

        var subject = new ClaimsIdentity(
        [
            new(JwtRegisteredClaimNames.Sub, user.Id.ToString("D", CultureInfo.InvariantCulture)),
            new(JwtRegisteredClaimNames.Email, user.Email),
            new(JwtRegisteredClaimNames.EmailVerified, user.EmailVerified ? "true" : "false", ClaimValueTypes.Boolean),
            new(JwtRegisteredClaimNames.Name, user.Name),
            new(JwtRegisteredClaimNames.Jti, Guid.CreateVersion7(now).ToString("D", CultureInfo.InvariantCulture)),
        ]);
        if (sessionId is not null) subject.AddClaim(new(JwtRegisteredClaimNames.Sid, sessionId));

        var token = s_handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = options.Value.Issuer,
            Audience = options.Value.Audience,
            Subject = subject,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = expiresAt.UtcDateTime,
            SigningCredentials = _credentials,
        });
        return new AccessToken(token, expiresAt);
    }
}
