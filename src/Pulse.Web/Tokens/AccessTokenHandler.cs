using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Auth;

namespace Pulse.Web.Tokens;

/// <summary>The framework's JWT validation with Pulse's own additional rules, for the tokens of one issuer.</summary>
/// <param name="issuer">The only accepted <c>iss</c>.</param>
/// <param name="isOwn">Whether these are Pulse's own tokens, whose <c>sub</c> must be a user id and whose <c>sid</c>, if any, a
/// session's.</param>
/// <param name="time">The clock for the tokens' times.</param>
internal sealed class AccessTokenHandler(string issuer, bool isOwn, TimeProvider time) : JsonWebTokenHandler
{
    /// <summary>Maximum length of a token that is parsed, in characters. Generous for a token, small for a parser.</summary>
    public const int MaxTokenLength = 8 * 1024;

    /// <summary>Allowed difference of clocks.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(30);

    // RFC 8725 section 3.11: a token for another purpose, such as a logout token, declares it in its type. Many access tokens lack a type.
    private static readonly string[] s_types = ["JWT", "at+jwt", "application/at+jwt"];

    private static readonly JsonDocumentOptions s_json = new() { AllowDuplicateProperties = false };

    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        if (Read(token) is not { } jwt) return Invalid(new SecurityTokenMalformedException("The token cannot be read."));
        if (FaultOf(jwt) is { } fault) return Invalid(fault);

        var result = await base.ValidateTokenAsync(jwt, validationParameters);

        // A malformed sid cannot belong to a live session.
        return result.IsValid && isOwn && jwt.TryGetPayloadValue<object>(JwtRegisteredClaimNames.Sid, out var sid) && Caller.ParseUuid(sid as string) is null
            ? Invalid(new SessionEndedException())
            : result;
    }

    /// <summary>The token's unverified parts. <see langword="null"/> if it is not a JWT or too long to parse.</summary>
    public static JsonWebToken? Read(string? token)
    {
        if (token is null or { Length: 0 or > MaxTokenLength }) return null;
        try
        {
            return new JsonWebToken(token);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The reader throws any exception of its parsers (argument, format, JSON, security token). All of them mean that the text is
            // malformed.
            return null;
        }
    }

    /// <summary>The fault of the token's <c>sub</c>, for any issuer.</summary>
    public static InvalidSubjectException? SubjectFault(JsonWebToken token) =>
        Subjects.IsUsable(token.Subject) ? null : new InvalidSubjectException("The token has no usable subject.");

    /// <summary>Faults of the claims that the framework ignores.</summary>
    public static Exception? ClaimsFault(JsonWebToken token, TimeProvider time)
    {
        try
        {
            // RFC 7519 section 4: names are unique. For a repeated sub the framework may read one value and another reader the other.
            using var payload = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedPayload), s_json);
            var claims = payload.RootElement;

            // RFC 7519 section 4.1.2: a string. The framework reads a number as its digits, which may be another person's subject.
            if (claims.TryGetProperty(JwtRegisteredClaimNames.Sub, out var subject) && subject.ValueKind != JsonValueKind.String)
                return new InvalidSubjectException("The subject is not a string.");

            // RFC 8725 section 3.8 by analogy: a token with a future issue time comes from an untrustworthy clock or is forged.
            return claims.TryGetProperty(JwtRegisteredClaimNames.Iat, out var issuedAt)
                && (issuedAt.ValueKind != JsonValueKind.Number || issuedAt.GetDouble() > (time.GetUtcNow() + MaxClockSkew).ToUnixTimeSeconds())
                    ? new SecurityTokenNotYetValidException("The token was issued in the future.")
                    : null;
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            return new SecurityTokenMalformedException("The token's claims cannot be read, or one is given twice.");
        }
    }

    private Exception? FaultOf(JsonWebToken token)
    {
        // The framework also accepts the issuer that a discovery document names, but only the configured one is an account's provider.
        if (!string.Equals(token.Issuer, issuer, StringComparison.Ordinal))
            return new SecurityTokenInvalidIssuerException("The issuer is not the configured one.");

        // RFC 7515 section 4.1.11: a token with unknown critical extensions must be refused, and this handler supports none.
        if (token.TryGetHeaderValue<object>("crit", out _))
            return new SecurityTokenValidationException("The token has critical header parameters.");

        if (token.TryGetHeaderValue<object>("typ", out var type) && !s_types.Contains(type as string, StringComparer.OrdinalIgnoreCase))
            return new SecurityTokenInvalidTypeException("The token's type is not that of an access token.");

        if ((ClaimsFault(token, time) ?? SubjectFault(token)) is { } fault) return fault;
        return isOwn && Caller.ParseUserId(token.Subject) is null ? new InvalidSubjectException("The subject is not a user id.") : null;
    }

    private static TokenValidationResult Invalid(Exception fault) => new() { IsValid = false, Exception = fault };
}

/// <summary>The token's <c>sub</c> is missing, too long, has control characters or, in Pulse's own tokens, not a UUID.</summary>
internal sealed class InvalidSubjectException(string message) : SecurityTokenValidationException(message);
