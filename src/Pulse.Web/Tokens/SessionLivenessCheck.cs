using Microsoft.IdentityModel.Tokens;
using Pulse.Identity;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Silos;

namespace Pulse.Web.Tokens;

/// <summary>
/// Checks whether the session of an own token is live, because a signature outlives its session by up to the token's lifetime.
/// </summary>
internal sealed class SessionLivenessCheck(GrainReferences<IUserSessionsGrain> users)
{
    /// <summary>
    /// The reason why the token is invalid or cannot be checked. <see langword="null"/> if its session is live or it has none.
    /// </summary>
    /// <param name="caller">The caller, whose token is otherwise valid.</param>
    public async ValueTask<SecurityTokenException?> ValidateAsync(Caller caller)
    {
        if (caller.OwnSessionId is not { } sessionId) return null;
        try
        {
            return await users[caller.OwnUserId!.Value].IsLiveAsync(sessionId) ? null : new SessionEndedException();
        }
        catch (Exception exception) when (TransientErrors.IsTransient(exception))
        {
            return new SessionUnknownException(exception);
        }
    }
}
