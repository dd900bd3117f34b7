using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tokens;

/// <summary>
/// The service that decides about a credential is unavailable, so the outcome is open. A later retry can help.
/// </summary>
/// <param name="message">For the log.</param>
/// <param name="advice">For the caller.</param>
/// <param name="inner">The cause.</param>
internal abstract class UnverifiableTokenException(string message, string advice, Exception inner) : SecurityTokenException(message, inner)
{
    /// <summary>The text for the caller.</summary>
    public string Advice => advice;
}

/// <summary>The keys of a trusted issuer cannot be fetched.</summary>
internal sealed class IssuerUnavailableException(string issuer, Exception inner) : UnverifiableTokenException(
    $"The keys of the issuer '{issuer}' cannot be fetched.", "The keys of the token's issuer cannot be fetched now. Retry in a few seconds.", inner);

/// <summary>The session of a cookie or token cannot be checked.</summary>
internal sealed class SessionUnknownException(Exception inner) : UnverifiableTokenException(
    "The session cannot be checked.", "Sessions cannot be checked now. You are still signed in. Try again in a few seconds.", inner);

/// <summary>The session of a cookie or token has ended, has expired, or never existed.</summary>
internal sealed class SessionEndedException() : SecurityTokenValidationException("The session has ended.");
