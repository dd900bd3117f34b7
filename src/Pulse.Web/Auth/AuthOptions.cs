namespace Pulse.Web.Auth;

/// <summary>The trusted issuers of access tokens, and the form of Pulse's own. Settings <c>Pulse:Auth:*</c>.</summary>
internal sealed class AuthOptions
{
    /// <summary>The configuration section of these settings.</summary>
    public const string SectionName = "Pulse:Auth";

    /// <summary>Shortest key for HS256, in bytes of UTF-8: as long as the hash (RFC 7518 section 3.2).</summary>
    public const int MinSigningKeyBytes = 32;

    /// <summary>The <c>iss</c> of Pulse's own tokens. Default <c>pulse</c>.</summary>
    public string Issuer { get; set; } = "pulse";

    /// <summary>The <c>aud</c> of Pulse's own tokens. Default <c>pulse</c>.</summary>
    public string Audience { get; set; } = "pulse";

    /// <summary>The secret of this site: text, at least <see cref="MinSigningKeyBytes"/> bytes as UTF-8.</summary>
    /// <remarks>
    /// Other programs sign tokens with it (HS256). Pulse derives keys from it, among them the key that authenticates session cookies and
    /// the key that encrypts the key ring. The keys in that ring sign Pulse's own tokens (<see cref="Keys.TokenKeys"/>). If it is unset,
    /// Development creates and keeps one (see <see cref="DevelopmentSigningKey"/>). In other environments Pulse refuses to start.
    /// </remarks>
    public string? SigningKey { get; set; }

    /// <summary>
    /// Other accepted values of <see cref="SigningKey"/>: earlier ones, and during a change on several front ends the next one. They only
    /// verify and decrypt existing data. Default none.
    /// </summary>
    public IList<string> PreviousSigningKeys { get; } = [];

    /// <summary>All accepted values, <see cref="SigningKey"/> first.</summary>
    internal IEnumerable<string> AllSigningKeys => [SigningKey!, .. PreviousSigningKeys];

    /// <summary>
    /// Lifetime of an access token. It is short because a token is validated without a call to another process. Default 15 minutes, at most
    /// a day.
    /// </summary>
    public TimeSpan AccessTokenLifetime { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Time after which an unused sign-in expires. Default 7 days, at most 30, which is also the maximum for a used one.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Other systems whose tokens are accepted. Default none.</summary>
    public IList<TrustedIssuerOptions> TrustedIssuers { get; } = [];

    /// <summary>
    /// Whether <c>POST /auth/dev</c> signs in as any user. For Development only: in other environments Pulse refuses to start with it.
    /// </summary>
    public bool DevSignIn { get; set; }
}

/// <summary>A system whose access tokens are accepted.</summary>
/// <remarks>
/// For kind <see cref="Jwt"/>, exactly one of <see cref="SigningKey"/> and <see cref="Authority"/> must be set. For kind
/// <see cref="AuthJs"/>, <see cref="SigningKey"/> must be set.
/// </remarks>
internal sealed class TrustedIssuerOptions
{
    /// <summary><see cref="Kind"/> of a system that signs JWTs.</summary>
    public const string Jwt = "Jwt";

    /// <summary>
    /// <see cref="Kind"/> of an application with Auth.js 5 (next-auth 5). The tokens come from its session cookie, encrypted under its
    /// secret.
    /// </summary>
    public const string AuthJs = "AuthJs";

    /// <summary><see cref="Jwt"/> (default) or <see cref="AuthJs"/>, in any case.</summary>
    // A string, so that the validator reports an unknown value together with all other faults.
    public string Kind { get; set; } = Jwt;

    /// <summary>Whether <see cref="Kind"/> is <see cref="AuthJs"/>.</summary>
    public bool IsAuthJs => string.Equals(Kind, AuthJs, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The tokens' <c>iss</c>, compared character by character. For kind <see cref="AuthJs"/>, whose tokens have none, any name for the
    /// application. It is also the <c>provider</c> of that issuer's accounts. It must therefore stay constant, and differ from the names of
    /// sign-in providers.
    /// </summary>
    public string Issuer { get; set; } = "";

    /// <summary>The tokens' <c>aud</c>. Must be unset for kind <see cref="AuthJs"/>, whose tokens have none.</summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// Shared secret (HS256), as <see cref="AuthOptions.SigningKey"/>. For kind <see cref="AuthJs"/>, the application's <c>AUTH_SECRET</c>.
    /// </summary>
    public string? SigningKey { get; set; }

    /// <summary>
    /// Base URL of an OpenID Connect provider. The keys come from the JWKS that its discovery document names. https outside Development.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>
    /// Whether a token with <c>email_verified</c> joins the user who has proven the same address. Default no, because a holder of this
    /// issuer's key could then become any user.
    /// </summary>
    public bool JoinsByEmail { get; set; }

    /// <summary>
    /// For kind <see cref="AuthJs"/>: the name of the session cookie, to which tokens are bound. By default both of Auth.js' own names.
    /// </summary>
    public string? CookieName { get; set; }
}
