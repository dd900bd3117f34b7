using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tokens;

/// <summary>An access token was refused. The message is a fixed sentence.</summary>
/// <remarks>
/// The framework logs the message of what an authentication handler fails with. The token library's own messages quote up to 5 KB of the token, and a
/// thumbprint of the key, which would let a reader of the log test guesses of a weak one.
/// </remarks>
internal sealed class RefusedTokenException : SecurityTokenException
{
    private RefusedTokenException(string message, string reason) : base(message) => Reason = reason;

    /// <summary>See <see cref="TokenFailure.Reason"/>.</summary>
    public string Reason { get; }

    /// <summary>What a handler fails with. Of a token that could not be checked, and of a ticket, the exception itself: its message quotes settings at most.</summary>
    public static Exception For(Exception failure) =>
        failure is UnverifiableTokenException or InvalidTicketException ? failure : new RefusedTokenException(TokenFailure.Describe(failure), TokenFailure.Reason(failure));
}
