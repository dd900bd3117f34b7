using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Auth;

/// <summary>The framework's JWT validation plus Pulse's own rules, for the tokens of one issuer.</summary>
/// <param name="issuer">The only <c>iss</c> that passes.</param>
/// <param name="isOwn">Whether these are Pulse's own tokens, whose <c>sub</c> must be a user id and whose <c>sid</c>, if any, a session's.</param>
internal sealed class AccessTokenHandler(string issuer, bool isOwn) : JsonWebTokenHandler
{
    /// <summary>Longest token that is looked at, in characters. Generous for a token, small for a parser.</summary>
    public const int MaxTokenLength = 8 * 1024;

    // OpenID Connect Core 1.0 section 2.
    private const int MaxSubjectLength = 255;

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

    private SecurityTokenException? FaultOf(JsonWebToken token)
    {
        // The framework also takes the issuer that a discovery document names; only the configured one is an account's provider.
        if (!string.Equals(token.Issuer, issuer, StringComparison.Ordinal))
            return new SecurityTokenInvalidIssuerException("The issuer is not the configured one.");

        // RFC 7515 section 4.1.11: a token with critical extensions that are not understood must be refused; none are understood here.
        if (token.TryGetHeaderValue<object>("crit", out _))
            return new SecurityTokenValidationException("The token has critical header parameters.");

        if (SubjectFault(token) is { } fault) return fault;
        return isOwn && Caller.ParseUserId(token.Subject) is null ? new InvalidSubjectException("The subject is not a user id.") : null;
    }

    private static TokenValidationResult Invalid(Exception fault) => new() { IsValid = false, Exception = fault };
}

/// <summary>The token's <c>sub</c> is missing, too long or, in Pulse's own tokens, no UUID.</summary>
internal sealed class InvalidSubjectException(string message) : SecurityTokenValidationException(message);
