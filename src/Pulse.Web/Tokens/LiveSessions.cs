using Microsoft.IdentityModel.Tokens;
using Pulse.Identity;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Silos;

namespace Pulse.Web.Tokens;

/// <summary>Asks whether the session that an own token belongs to still lives: a signature alone outlives its session by up to the token's lifetime.</summary>
internal sealed class LiveSessions(GrainReferences<IUserSessionsGrain> users)
{
    /// <summary>Why the token is no longer good, or cannot be checked; <see langword="null"/> when its session lives or it belongs to none.</summary>
    /// <param name="caller">Whose token is valid otherwise.</param>
    public async ValueTask<SecurityTokenException?> FindFaultAsync(Caller caller)
    {
        if (caller.OwnSessionId is not { } sessionId) return null;
        try
        {
            return await users[caller.OwnUserId!.Value].IsLiveAsync(sessionId) ? null : new SessionEndedException();
        }
        catch (Exception exception) when (Unavailability.Covers(exception))
        {
            return new SessionUnknownException(exception);
        }
    }
}
