using System.Reflection;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Tokens;

/// <summary>The user of an authenticated request, as a parameter of its route.</summary>
/// <remarks>
/// A route with this parameter runs for existing users only: a trusted issuer's token that was never synced is answered 404
/// <c>not-synced</c>, before the route's own code. The row of a Pulse token's or session's user may be missing.
/// </remarks>
/// <param name="Id">User id.</param>
/// <param name="Caller">The caller from the token or the session.</param>
internal sealed record SignedInUser(Guid Id, Caller Caller) : IBindableFromHttpContext<SignedInUser>
{
    /// <summary>The request's session of Pulse. <see langword="null"/> for a token without a session.</summary>
    public Guid? SessionId => Caller.OwnSessionId;

    /// <summary>
    /// Whether the request has a trusted issuer's token. Such an issuer may change only its own account among the ways to sign in.
    /// </summary>
    public bool IsFromTrustedIssuer => Caller.OwnUserId is null;

    /// <summary>Reads the user of the request, for the framework.</summary>
    /// <exception cref="ProblemException">The token's user does not exist yet.</exception>
    /// <exception cref="StoreUnavailableException">The account is not cached and the database is unavailable.</exception>
    public static async ValueTask<SignedInUser?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var callers = context.RequestServices.GetRequiredService<Callers>();
        var caller = callers.Read(context.User);
        var found = callers.FindUserIdAsync(caller);
        return (found.IsCompleted ? await found : await found.AsTask().WaitAsync(context)) is { } userId
            ? new(userId, caller)
            : throw new ProblemException(await context.RequestServices.GetRequiredService<UserAccess>().ExplainMissingUserAsync(caller).WaitAsync(context));
    }
}
