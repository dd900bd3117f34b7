using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;
using Pulse.Web.Tokens;

namespace Pulse.Web.Auth;

/// <summary>Who a request comes from, as its validated token says. A route takes it as a parameter if it also serves callers that have no user yet; others take <see cref="SignedInUser"/>.</summary>
internal sealed record Caller : IBindableFromHttpContext<Caller>
{
    /// <summary>The token's <c>iss</c>.</summary>
    public required string Issuer { get; init; }

    /// <summary>The token's <c>sub</c>: the user id in Pulse's own tokens, the issuer's own id for the person in others.</summary>
    public required string Subject { get; init; }

    /// <summary>The user id that a Pulse token is taken at its word for; <see langword="null"/> for a trusted issuer's token.</summary>
    public Guid? OwnUserId { get; init; }

    /// <summary>The <c>email</c> claim as it stands, not yet checked; <see langword="null"/> when the token has none.</summary>
    public string? Email { get; init; }

    /// <summary>Whether the issuer vouches for <see cref="Email"/>: <c>email_verified</c> is true, or the text "true", which some issuers send.</summary>
    public bool EmailVerified { get; init; }

    /// <summary>The <c>name</c> claim, not yet checked.</summary>
    public string? Name { get; init; }

    /// <summary>The <c>picture</c> claim, not yet checked.</summary>
    public string? Picture { get; init; }

    /// <summary>The <c>sid</c> claim: the sign-in session that the token belongs to.</summary>
    public string? SessionId { get; init; }

    /// <summary>The session of Pulse's own that the caller is signed in with; <see langword="null"/> for a token that belongs to none, or to a trusted issuer's.</summary>
    public Guid? OwnSessionId => OwnUserId is null ? null : ParseUuid(SessionId);

    /// <summary>
    /// When the person proved who they are, UTC (<c>auth_time</c>, OpenID Connect Core 1.0 section 2); <see langword="null"/> for a token that belongs to
    /// no session of Pulse.
    /// </summary>
    public DateTimeOffset? SignedInAt { get; init; }

    /// <summary>When the token was issued, UTC (<c>iat</c>); <see langword="null"/> if it does not say.</summary>
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>
    /// When a trusted issuer's token was issued, at the latest: one that does not say counts as old. <see langword="null"/> for the caller of Pulse's own
    /// token or session, whose user id is never used again after an erasure.
    /// </summary>
    public DateTimeOffset? TrustedTokenIssuedAt => OwnUserId is null ? IssuedAt ?? DateTimeOffset.UnixEpoch : null;

    /// <summary>When the token, or the cookie's session, runs out, UTC.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Reads the caller of an authenticated request, for the framework.</summary>
    public static ValueTask<Caller?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        ValueTask.FromResult<Caller?>(context.RequestServices.GetRequiredService<Callers>().Read(context.User));

    /// <summary>Reads a principal that token validation made.</summary>
    /// <param name="principal">A principal with <c>iss</c>, <c>sub</c> and <c>exp</c>.</param>
    /// <param name="ownIssuer"><see cref="AuthOptions.Issuer"/>.</param>
    /// <returns><see langword="false"/> for a principal that does not come from one of Pulse's schemes.</returns>
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
            // A NumericDate may have a fraction (RFC 7519 section 2) and, so far as the format goes, be later than any calendar.
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds((long)Math.Clamp(expiry, 0, DateTimeOffset.MaxValue.ToUnixTimeSeconds())),
        };
        return true;
    }

    /// <summary>A hyphenated UUID other than the nil one; else <see langword="null"/>.</summary>
    public static Guid? ParseUserId(string? text) => ParseUuid(text);

    /// <summary>As <see cref="ParseUserId"/>, for what is no user.</summary>
    public static Guid? ParseUuid(string? text) =>
        // Compared with its own spelling: the parser alone also takes spaces around it and signs within.
        Guid.TryParseExact(text, "D", out var id) && id != Guid.Empty && id.ToString("D").Equals(text, StringComparison.OrdinalIgnoreCase) ? id : null;

    // A JSON null is an absent claim; so is a list, of which nobody could say which one is meant.
    private static string? Find(Claim[] claims, string type)
    {
        Claim? only = null;
        foreach (var claim in claims)
        {
            // RFC 7519 section 4: names are compared by case.
            if (claim.Type != type) continue;
            if (only is not null) return null;
            only = claim;
        }

        return only is null || only.ValueType == JsonClaimValueTypes.JsonNull ? null : only.Value;
    }
}
