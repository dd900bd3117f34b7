using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;
using Pulse.Web.Tokens;

namespace Pulse.Web.Auth;

/// <summary>
/// The caller of a request, according to its validated token. Routes take it as a parameter if they also serve callers without a user.
/// Other routes take <see cref="SignedInUser"/>.
/// </summary>
internal sealed record Caller : IBindableFromHttpContext<Caller>
{
    /// <summary>The token's <c>iss</c>.</summary>
    public required string Issuer { get; init; }

    /// <summary>The token's <c>sub</c>: the user id in Pulse's own tokens, the issuer's own id for the person in other tokens.</summary>
    public required string Subject { get; init; }

    /// <summary>
    /// The user id in a Pulse token, which is trusted without a lookup. <see langword="null"/> for a trusted issuer's token.
    /// </summary>
    public Guid? OwnUserId { get; init; }

    /// <summary>The unchecked <c>email</c> claim. <see langword="null"/> if the token has none.</summary>
    public string? Email { get; init; }

    /// <summary>
    /// Whether the issuer has verified <see cref="Email"/>: <c>email_verified</c> is true, or the text "true", which some issuers send.
    /// </summary>
    public bool EmailVerified { get; init; }

    /// <summary>The unchecked <c>name</c> claim.</summary>
    public string? Name { get; init; }

    /// <summary>The unchecked <c>picture</c> claim.</summary>
    public string? Picture { get; init; }

    /// <summary>The <c>sid</c> claim: the token's sign-in session.</summary>
    public string? SessionId { get; init; }

    /// <summary>
    /// The caller's session of Pulse itself. <see langword="null"/> for a token without a session, or with a trusted issuer's.
    /// </summary>
    public Guid? OwnSessionId => OwnUserId is null ? null : ParseUuid(SessionId);

    /// <summary>
    /// Time at which the person proved the identity, UTC (<c>auth_time</c>, OpenID Connect Core 1.0 section 2). <see langword="null"/> for
    /// a token without a session of Pulse.
    /// </summary>
    public DateTimeOffset? SignedInAt { get; init; }

    /// <summary>When the token was issued, UTC (<c>iat</c>). <see langword="null"/> if the claim is missing.</summary>
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>
    /// Latest possible issue time of a trusted issuer's token. A token without an issue time counts as old. <see langword="null"/> for the
    /// caller of Pulse's own token or session, whose user id is never reused after an erasure.
    /// </summary>
    public DateTimeOffset? TrustedTokenIssuedAt => OwnUserId is null ? IssuedAt ?? DateTimeOffset.UnixEpoch : null;

    /// <summary>When the token, or the cookie's session, expires, UTC.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Reads the caller of an authenticated request, for the framework.</summary>
    public static ValueTask<Caller?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        ValueTask.FromResult<Caller?>(context.RequestServices.GetRequiredService<Callers>().Read(context.User));

    /// <summary>Reads a principal that the token validation has created.</summary>
    /// <param name="principal">A principal with <c>iss</c>, <c>sub</c> and <c>exp</c>.</param>
    /// <param name="ownIssuer"><see cref="AuthOptions.Issuer"/>.</param>
    /// <returns><see langword="false"/> for a principal from other schemes than Pulse's.</returns>
    public static bool TryRead(ClaimsPrincipal principal, string ownIssuer, [NotNullWhen(true)] out Caller? caller)
    {
        caller = (principal.Identity as CallerIdentity)?.Caller;
        if (caller is not null) return true;

        Claim[] claims = [.. principal.Claims];
        if (Find(claims, JwtRegisteredClaimNames.Iss) is not { } issuer
            || Find(claims, JwtRegisteredClaimNames.Sub) is not { } subject
            || !double.TryParse(Find(claims, JwtRegisteredClaimNames.Exp), NumberStyles.Float, CultureInfo.InvariantCulture, out var expiry))
        {
            return false;
        }

        var ownUserId = string.Equals(issuer, ownIssuer, StringComparison.Ordinal) ? ParseUserId(subject) : null;
        caller = new Caller
        {
            Issuer = issuer,
            Subject = subject,
            OwnUserId = ownUserId,
            Email = Find(claims, JwtRegisteredClaimNames.Email),
            EmailVerified = string.Equals(Find(claims, JwtRegisteredClaimNames.EmailVerified), "true", StringComparison.OrdinalIgnoreCase),
            Name = Find(claims, JwtRegisteredClaimNames.Name),
            Picture = Find(claims, JwtRegisteredClaimNames.Picture),
            SessionId = Find(claims, JwtRegisteredClaimNames.Sid),
            SignedInAt = ownUserId is not null && Find(claims, JwtRegisteredClaimNames.Sid) is not null
                && long.TryParse(Find(claims, JwtRegisteredClaimNames.AuthTime), NumberStyles.None, CultureInfo.InvariantCulture, out var signedInAt)
                && signedInAt <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
                    ? DateTimeOffset.FromUnixTimeSeconds(signedInAt)
                    : null,
            IssuedAt = double.TryParse(Find(claims, JwtRegisteredClaimNames.Iat), NumberStyles.Float, CultureInfo.InvariantCulture, out var issuedAt)
                ? DateTimeOffset.FromUnixTimeSeconds((long)Math.Clamp(issuedAt, 0, DateTimeOffset.MaxValue.ToUnixTimeSeconds()))
                : null,
            // A NumericDate may have a fraction (RFC 7519 section 2), and the format allows times later than any calendar.
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds((long)Math.Clamp(expiry, 0, DateTimeOffset.MaxValue.ToUnixTimeSeconds())),
        };
        return true;
    }

    /// <summary>A hyphenated UUID other than the nil one. Otherwise <see langword="null"/>.</summary>
    public static Guid? ParseUserId(string? text) => ParseUuid(text);

    /// <summary>As <see cref="ParseUserId"/>, for other ids.</summary>
    public static Guid? ParseUuid(string? text) =>
        // Compared with the canonical spelling, because the parser alone also accepts surrounding spaces and inner signs.
        Guid.TryParseExact(text, "D", out var id) && id != Guid.Empty && id.ToString("D").Equals(text, StringComparison.OrdinalIgnoreCase) ? id : null;

    // A JSON null counts as a missing claim. A list does too, because the intended element is unknown.
    private static string? Find(Claim[] claims, string type)
    {
        Claim? only = null;
        foreach (var claim in claims)
        {
            // RFC 7519 section 4: names are compared case-sensitively.
            if (claim.Type != type) continue;
            if (only is not null) return null;
            only = claim;
        }

        return only is null || only.ValueType == JsonClaimValueTypes.JsonNull ? null : only.Value;
    }
}
