using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tokens;

/// <summary>An access token was refused. The message is a fixed sentence.</summary>
/// <remarks>
/// The framework logs the message of an authentication handler's failure. The token library's own messages quote up to 5 KB of the token,
/// and a thumbprint of the key, with which a reader of the log could test guesses of a weak key.
/// </remarks>
internal sealed class RefusedTokenException : SecurityTokenException
{
    private RefusedTokenException(string message, string reason) : base(message) => Reason = reason;

    /// <summary>See <see cref="TokenFailure.Reason"/>.</summary>
    public string Reason { get; }

    /// <summary>
    /// The exception for a handler's failure. For a token that could not be checked, and for a ticket, it is the exception itself, whose
    /// message quotes settings at most.
    /// </summary>
    public static Exception For(Exception failure) =>
        failure is UnverifiableTokenException or InvalidTicketException ? failure : new RefusedTokenException(TokenFailure.Describe(failure), TokenFailure.Reason(failure));
}
