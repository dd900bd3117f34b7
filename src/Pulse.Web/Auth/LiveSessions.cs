using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Identity;
using Pulse.Web.Http;

namespace Pulse.Web.Auth;

/// <summary>Asks whether the session that an own token belongs to still lives: a signature alone outlives its session by up to the token's lifetime.</summary>
internal sealed class LiveSessions(IGrainFactory grains)
{
    /// <summary>Why the token is no longer good, or cannot be checked; <see langword="null"/> when its session lives or it belongs to none.</summary>
    /// <param name="token">A token of Pulse's own, valid otherwise.</param>
    public async Task<SecurityTokenException?> FindFaultAsync(JsonWebToken token)
    {
        if (!token.TryGetPayloadValue<object>(JwtRegisteredClaimNames.Sid, out var sid)) return null;

        // A sid that no session of Pulse can have is that of none that lives.
        if (Caller.ParseUuid(sid as string) is not { } sessionId || Caller.ParseUuid(token.Subject) is not { } userId) return new SessionEndedException();
        try
        {
            return await grains.GetGrain<IUserSessionsGrain>(userId).IsLiveAsync(sessionId) ? null : new SessionEndedException();
        }
        catch (Exception exception) when (Unavailability.Covers(exception))
        {
            return new SessionUnknownException(exception);
        }
    }
}
