using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Auth;

/// <summary>The framework's JWT validation plus Pulse's own rules, for the tokens of one issuer.</summary>
/// <remarks>Both ways in, the HTTP schemes and <see cref="TokenValidator"/>, end here.</remarks>
/// <param name="issuer">The only <c>iss</c> that passes.</param>
/// <param name="sessions">For Pulse's own tokens, whose <c>sub</c> must be a user id and whose <c>sid</c>, if any, a live session; else <see langword="null"/>.</param>
internal sealed class AccessTokenHandler(string issuer, LiveSessions? sessions) : JsonWebTokenHandler
{
    /// <summary>Longest token that is looked at, in characters. Generous for a token, small for a parser.</summary>
    public const int MaxTokenLength = 8 * 1024;

    // OpenID Connect Core 1.0 section 2.
    private const int MaxSubjectLength = 255;

    public override async Task<TokenValidationResult> ValidateTokenAsync(string token, TokenValidationParameters validationParameters)
    {
        if (token.Length > MaxTokenLength) return Invalid(new SecurityTokenMalformedException("The token is too long."));

        // The framework would go on without keys and call the signature bad; but the token may be good, so say that we cannot know.
        if (validationParameters.ConfigurationManager is { } keys)
        {
            try
            {
                await keys.GetBaseConfigurationAsync(CancellationToken.None);
            }
            catch (InvalidOperationException exception)
            {
                return Invalid(new IssuerUnavailableException(issuer, exception));
            }
        }

        var result = await base.ValidateTokenAsync(token, validationParameters);
        if (!result.IsValid) return result;

        // Last, and only for what is genuine: nobody else's token is worth a question to a grain.
        var genuine = (JsonWebToken)result.SecurityToken;
        var fault = Fault(genuine) ?? (sessions is null ? null : await sessions.FindFaultAsync(genuine));
        return fault is null ? result : Invalid(fault);
    }

    private SecurityTokenException? Fault(JsonWebToken token)
    {
        // The framework also takes the issuer that a discovery document names; only the configured one is an account's provider.
        if (!string.Equals(token.Issuer, issuer, StringComparison.Ordinal))
            return new SecurityTokenInvalidIssuerException("The issuer is not the configured one.");

        // RFC 7515 section 4.1.11: a token with critical extensions that are not understood must be refused; none are understood here.
        if (token.TryGetHeaderValue<object>("crit", out _))
            return new SecurityTokenValidationException("The token has critical header parameters.");

        if (string.IsNullOrWhiteSpace(token.Subject) || token.Subject.Length > MaxSubjectLength)
            return new InvalidSubjectException("The token has no usable subject.");
        if (sessions is not null && Caller.ParseUserId(token.Subject) is null)
            return new InvalidSubjectException("The subject is not a user id.");
        return null;
    }

    private static TokenValidationResult Invalid(Exception fault) => new() { IsValid = false, Exception = fault };
}

/// <summary>The token is genuine, but its <c>sub</c> is missing, too long or, in Pulse's own tokens, no UUID.</summary>
internal sealed class InvalidSubjectException(string message) : SecurityTokenValidationException(message);
