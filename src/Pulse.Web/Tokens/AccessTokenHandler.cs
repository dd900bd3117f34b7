using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Auth;

namespace Pulse.Web.Tokens;

/// <summary>The framework's JWT validation plus Pulse's own rules, for the tokens of one issuer.</summary>
/// <param name="issuer">The only <c>iss</c> that passes.</param>
/// <param name="isOwn">Whether these are Pulse's own tokens, whose <c>sub</c> must be a user id and whose <c>sid</c>, if any, a session's.</param>
/// <param name="time">The clock that tokens' times are compared with.</param>
internal sealed class AccessTokenHandler(string issuer, bool isOwn, TimeProvider time) : JsonWebTokenHandler
{
    /// <summary>Longest token that is looked at, in characters. Generous for a token, small for a parser.</summary>
    public const int MaxTokenLength = 8 * 1024;

    /// <summary>What clocks may differ by.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(30);

    // OpenID Connect Core 1.0 section 2.
    private const int MaxSubjectLength = 255;

    // RFC 8725 section 3.11: a token that was made for another purpose, such as a logout token, says so in its type. Many access tokens have none.
    private static readonly string[] s_types = ["JWT", "at+jwt", "application/at+jwt"];

    private static readonly JsonDocumentOptions s_json = new() { AllowDuplicateProperties = false };

    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        if (Read(token) is not { } jwt) return Invalid(new SecurityTokenMalformedException("The token cannot be read."));
        if (FaultOf(jwt) is { } fault) return Invalid(fault);

        var result = await base.ValidateTokenAsync(jwt, validationParameters);

        // A sid that no session of Pulse can have is that of none that lives.
        return result.IsValid && isOwn && jwt.TryGetPayloadValue<object>(JwtRegisteredClaimNames.Sid, out var sid) && Caller.ParseUuid(sid as string) is null
            ? Invalid(new SessionEndedException())
            : result;
    }

    /// <summary>The token's parts, nothing proven; <see langword="null"/> for what is no JWT or too long to be looked at.</summary>
    public static JsonWebToken? Read(string? token)
    {
        if (token is null or { Length: 0 or > MaxTokenLength }) return null;
        try
        {
            return new JsonWebToken(token);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The reader throws whatever its parsers throw (argument, format, JSON, security token exceptions); all mean "not a token".
            return null;
        }
    }

    /// <summary>What is wrong with the token's <c>sub</c>, whoever issued it.</summary>
    public static InvalidSubjectException? SubjectFault(JsonWebToken token) =>
        string.IsNullOrWhiteSpace(token.Subject) || token.Subject.Length > MaxSubjectLength
            ? new InvalidSubjectException("The token has no usable subject.")
            : null;

    /// <summary>What is wrong with the claims in ways that the framework passes over.</summary>
    public static Exception? ClaimsFault(JsonWebToken token, TimeProvider time)
    {
        try
        {
            // RFC 7519 section 4: names are unique. Of a repeated sub the framework takes one, and another reader the other.
            using var payload = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedPayload), s_json);
            var claims = payload.RootElement;

            // RFC 7519 section 4.1.2: a text. The framework reads a number as its digits, which may be another person's subject.
            if (claims.TryGetProperty(JwtRegisteredClaimNames.Sub, out var subject) && subject.ValueKind != JsonValueKind.String)
                return new InvalidSubjectException("The subject is not a text.");

            // RFC 8725 section 3.8 by analogy: a token of the future comes from a clock, or a hand, that is not to be trusted.
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
        // The framework also takes the issuer that a discovery document names; only the configured one is an account's provider.
        if (!string.Equals(token.Issuer, issuer, StringComparison.Ordinal))
            return new SecurityTokenInvalidIssuerException("The issuer is not the configured one.");

        // RFC 7515 section 4.1.11: a token with critical extensions that are not understood must be refused; none are understood here.
        if (token.TryGetHeaderValue<object>("crit", out _))
            return new SecurityTokenValidationException("The token has critical header parameters.");

        if (token.TryGetHeaderValue<object>("typ", out var type) && !s_types.Contains(type as string, StringComparer.OrdinalIgnoreCase))
            return new SecurityTokenInvalidTypeException("The token is of a type that is no access token's.");

        if ((ClaimsFault(token, time) ?? SubjectFault(token)) is { } fault) return fault;
        return isOwn && Caller.ParseUserId(token.Subject) is null ? new InvalidSubjectException("The subject is not a user id.") : null;
    }

    private static TokenValidationResult Invalid(Exception fault) => new() { IsValid = false, Exception = fault };
}

/// <summary>The token's <c>sub</c> is missing, too long or, in Pulse's own tokens, no UUID.</summary>
internal sealed class InvalidSubjectException(string message) : SecurityTokenValidationException(message);
