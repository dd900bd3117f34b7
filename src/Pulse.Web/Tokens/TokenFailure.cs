using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tokens;

/// <summary>Describes to a caller why a token was refused.</summary>
/// <remarks>
/// The sentences are fixed, because the exceptions' own messages quote tokens, keys and settings. Safe inside a quoted header value (RFC
/// 6750 section 3).
/// </remarks>
internal static class TokenFailure
{
    /// <summary>The reason as a fixed word, for the audit log.</summary>
    public static string Reason(Exception failure) => failure switch
    {
        SecurityTokenExpiredException => "expired",
        SecurityTokenNotYetValidException => "not-yet-valid",
        SecurityTokenNoExpirationException => "no-expiry",
        SecurityTokenInvalidLifetimeException => "invalid-lifetime",
        SecurityTokenInvalidAudienceException => "audience",
        SecurityTokenInvalidIssuerException => "issuer",
        SecurityTokenInvalidAlgorithmException => "algorithm",
        InvalidSubjectException => "subject",
        SecurityTokenInvalidSignatureException => "signature",
        SecurityTokenDecryptionFailedException => "decryption",
        SecurityTokenMalformedException or ArgumentException => "malformed",
        SessionEndedException => "session-ended",
        UnverifiableTokenException => "unverifiable",
        AggregateException { InnerExceptions: [var only] } => Reason(only),
        _ => "invalid",
    };

    /// <summary>One sentence about the failure, or a general sentence for other failures.</summary>
    public static string Describe(Exception failure) => failure switch
    {
        // Order matters: some of these derive from others.
        SecurityTokenExpiredException => "The access token has expired.",
        SecurityTokenNotYetValidException => "The access token is not valid yet.",
        SecurityTokenNoExpirationException => "The access token has no expiry.",
        SecurityTokenInvalidLifetimeException => "The access token expires before it becomes valid.",
        SecurityTokenInvalidAudienceException => "The access token is for another audience.",
        SecurityTokenInvalidIssuerException => "The access token is from an issuer that is not trusted here.",
        SecurityTokenInvalidAlgorithmException => "The access token is signed or encrypted with an algorithm that is not accepted.",
        InvalidSubjectException => "The access token's subject is missing or is not a user id.",
        SecurityTokenInvalidSignatureException => "The access token's signature is not valid.",
        SecurityTokenDecryptionFailedException => "The access token cannot be opened with a key that is known here.",
        SecurityTokenMalformedException or ArgumentException => "The access token is not a readable JWT.",
        SessionEndedException => "The access token's session has ended.",
        SessionUnknownException => "The access token's session cannot be checked now.",
        IssuerUnavailableException => "The access token's issuer cannot be reached.",
        AggregateException { InnerExceptions: [var only] } => Describe(only),
        _ => "The access token is not valid.",
    };
}
