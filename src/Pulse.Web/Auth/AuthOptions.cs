namespace Pulse.Web.Auth;

/// <summary>Whose access tokens are accepted, and how Pulse makes its own. Settings <c>Pulse:Auth:*</c>.</summary>
internal sealed class AuthOptions
{
    /// <summary>Where these settings are read from.</summary>
    public const string SectionName = "Pulse:Auth";

    /// <summary>Shortest key for HS256, in bytes of UTF-8: as long as the hash (RFC 7518 section 3.2).</summary>
    public const int MinSigningKeyBytes = 32;

    /// <summary>The <c>iss</c> of Pulse's own tokens. Default <c>pulse</c>.</summary>
    public string Issuer { get; set; } = "pulse";

    /// <summary>The <c>aud</c> of Pulse's own tokens. Default <c>pulse</c>.</summary>
    public string Audience { get; set; } = "pulse";

    /// <summary>The secret of this site: text, at least <see cref="MinSigningKeyBytes"/> bytes as UTF-8.</summary>
    /// <remarks>
    /// Other programs sign tokens with it (HS256). Pulse derives the keys from it that session cookies are authenticated with and that the key ring is
    /// encrypted under; its own tokens are signed by the keys in that ring (<see cref="Keys.TokenKeys"/>). Unset in Development, one is made and kept; see <see cref="DevelopmentSigningKey"/>. Unset elsewhere, Pulse does not start.
    /// </remarks>
    public string? SigningKey { get; set; }

    /// <summary>
    /// Other values that are accepted where <see cref="SigningKey"/> is: earlier ones, and during a change on several front ends the next one. Nothing new is
    /// made with them. Default none.
    /// </summary>
    public IList<string> PreviousSigningKeys { get; } = [];

    /// <summary>What is accepted, <see cref="SigningKey"/> first.</summary>
    internal IEnumerable<string> AllSigningKeys => [SigningKey!, .. PreviousSigningKeys];

    /// <summary>How long an access token lives. Short, since a token is checked without asking anybody. Default 15 minutes, at most a day.</summary>
    public TimeSpan AccessTokenLifetime { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a sign-in lasts without being used. Default 7 days, at most 30: the longest that any lasts, used or not.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Other systems whose tokens are accepted. Default none.</summary>
    public IList<TrustedIssuerOptions> TrustedIssuers { get; } = [];

    /// <summary>Whether <c>POST /auth/dev</c> signs in as anyone. Development only; Pulse does not start with it elsewhere.</summary>
    public bool DevSignIn { get; set; }
}

/// <summary>A system whose access tokens are accepted.</summary>
/// <remarks>
/// Of kind <see cref="Jwt"/>, exactly one of <see cref="SigningKey"/> and <see cref="Authority"/> says how they are checked; of kind
/// <see cref="AuthJs"/>, <see cref="SigningKey"/> does.
/// </remarks>
internal sealed class TrustedIssuerOptions
{
    /// <summary><see cref="Kind"/> of a system that signs JWTs.</summary>
    public const string Jwt = "Jwt";

    /// <summary><see cref="Kind"/> of an application with Auth.js 5 (next-auth 5): the tokens are its session cookie's, encrypted under its secret.</summary>
    public const string AuthJs = "AuthJs";

    /// <summary><see cref="Jwt"/> (default) or <see cref="AuthJs"/>, in any case.</summary>
    // Text, so that an unknown one is reported by the validator, along with whatever else is wrong.
    public string Kind { get; set; } = Jwt;

    /// <summary>Whether <see cref="Kind"/> is <see cref="AuthJs"/>.</summary>
    public bool IsAuthJs => string.Equals(Kind, AuthJs, StringComparison.OrdinalIgnoreCase);

    /// <summary>The tokens' <c>iss</c> (of kind <see cref="AuthJs"/>, whose tokens have none, any name for the application), compared character by character. Also the <c>provider</c> of that issuer's accounts, so it must never change, nor be the name of a way to sign in.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>The tokens' <c>aud</c>. Not for kind <see cref="AuthJs"/>, whose tokens have none.</summary>
    public string Audience { get; set; } = "";

    /// <summary>Shared secret (HS256), as <see cref="AuthOptions.SigningKey"/>; of kind <see cref="AuthJs"/>, the application's <c>AUTH_SECRET</c>.</summary>
    public string? SigningKey { get; set; }

    /// <summary>Base URL of an OpenID Connect provider: keys come from the JWKS that its discovery document names. https outside Development.</summary>
    public string? Authority { get; set; }

    /// <summary>
    /// Whether a token with <c>email_verified</c> joins the user who has proven the same address. Default no: whoever has this issuer's key could then
    /// become any user.
    /// </summary>
    public bool JoinsByEmail { get; set; }

    /// <summary>For kind <see cref="AuthJs"/>: the name of the session cookie, which tokens are bound to. Default either of Auth.js' own two names.</summary>
    public string? CookieName { get; set; }
}
