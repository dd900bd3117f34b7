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

    /// <summary>Secret that signs Pulse's own tokens (HS256): text, at least <see cref="MinSigningKeyBytes"/> bytes as UTF-8.</summary>
    /// <remarks>Unset in Development, one is made and kept; see <see cref="DevelopmentSigningKey"/>. Unset elsewhere, Pulse does not start.</remarks>
    public string? SigningKey { get; set; }

    /// <summary>How long an access token lives. Short, since a token is checked without asking anybody. Default 15 minutes, at most a day.</summary>
    public TimeSpan AccessTokenLifetime { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a sign-in lasts without being used. Default 7 days, at most 30: the longest that any lasts, used or not.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Other systems whose tokens are accepted. Default none.</summary>
    public IList<TrustedIssuerOptions> TrustedIssuers { get; } = [];

    /// <summary>Whether <c>POST /auth/dev</c> signs in as anyone. Development only; Pulse does not start with it elsewhere.</summary>
    public bool DevSignIn { get; set; }
}

/// <summary>A system whose access tokens are accepted: exactly one of <see cref="SigningKey"/> and <see cref="Authority"/> says how they are checked.</summary>
internal sealed class TrustedIssuerOptions
{
    /// <summary>The tokens' <c>iss</c>, compared character by character. Also the <c>provider</c> of that issuer's accounts, so it must never change.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>The tokens' <c>aud</c>.</summary>
    public string Audience { get; set; } = "";

    /// <summary>Shared secret (HS256), as <see cref="AuthOptions.SigningKey"/>.</summary>
    public string? SigningKey { get; set; }

    /// <summary>Base URL of an OpenID Connect provider: keys come from the JWKS that its discovery document names. https outside Development.</summary>
    public string? Authority { get; set; }
}
