using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tokens;

/// <summary>What was presented can be neither accepted nor refused, since whoever knows does not answer. Trying again later can help.</summary>
/// <param name="message">For the log.</param>
/// <param name="advice">For the caller.</param>
/// <param name="inner">Why it is not known.</param>
internal abstract class UnverifiableTokenException(string message, string advice, Exception inner) : SecurityTokenException(message, inner)
{
    /// <summary>What the caller is told.</summary>
    public string Advice => advice;
}

/// <summary>The keys of a trusted issuer cannot be fetched.</summary>
internal sealed class IssuerUnavailableException(string issuer, Exception inner) : UnverifiableTokenException(
    $"The keys of the issuer '{issuer}' cannot be fetched.", "The keys of the token's issuer cannot be fetched now. Try again in a few seconds.", inner);

/// <summary>Whether the session of a cookie or token still lives cannot be found out.</summary>
internal sealed class SessionUnknownException(Exception inner) : UnverifiableTokenException(
    "Whether the session lives cannot be found out.", "Sessions cannot be checked now; you are not signed out. Try again in a few seconds.", inner);

/// <summary>The session of a cookie or token has ended, run out, or never was.</summary>
internal sealed class SessionEndedException() : SecurityTokenValidationException("The session has ended.");
