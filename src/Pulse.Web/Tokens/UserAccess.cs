using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Silos;

namespace Pulse.Web.Tokens;

/// <summary>Marks a route that itself refuses callers whose user is disabled or erased, with a grain call that it makes anyway.</summary>
internal sealed class ChecksUserAccess;

/// <summary>Refuses callers whose user is disabled or erased, before their route runs.</summary>
/// <remarks>
/// A session ends with its user, and each request of a session is checked against it. The other tokens are checked here: Pulse's own
/// without <c>sid</c>, and trusted issuers'.
/// </remarks>
internal sealed partial class UserAccess(Callers callers, GrainReferences<IUserGrain> users, ILogger<UserAccess> logger)
{
    /// <summary>The middleware. Place it after authorization.</summary>
    public Task CheckAsync(HttpContext context, RequestDelegate next) =>
        callers.TryRead(context.User) is { OwnSessionId: null } caller && context.GetEndpoint()?.Metadata.GetMetadata<ChecksUserAccess>() is null
            ? CheckAsync(context, caller, next)
            : next(context);

    /// <summary>The reason to refuse a caller.</summary>
    /// <returns><see langword="null"/> for an accepted caller, and while the database is unavailable and the user's state is
    /// unknown.</returns>
    public async Task<ProblemType?> FindRefusalAsync(Caller caller)
    {
        if (caller.OwnSessionId is not null) return null;
        try
        {
            return await callers.FindUserIdAsync(caller) is { } userId
                ? await FindRefusalAsync(caller, userId, await users[userId].GetProfileAsync())
                : await ExplainMissingUserAsync(caller) is var why && why == ProblemTypes.UserErased ? why : null;
        }
        catch (Exception exception) when (TransientErrors.IsTransient(exception))
        {
            // The route itself answers 503 if it needs the database. Presence works without it.
            return null;
        }
    }

    /// <summary>
    /// The reason why a trusted issuer's caller has no user: the user was erased after the token was issued, or has yet to be created.
    /// </summary>
    public async Task<ProblemType> ExplainMissingUserAsync(Caller caller)
    {
        try
        {
            return caller.TrustedTokenIssuedAt <= await callers.Account(caller).FindErasureAsync() ? ProblemTypes.UserErased : ProblemTypes.NotSynced;
        }
        catch (Exception exception) when (!TransientErrors.IsTransient(exception))
        {
            LogNotAsked(exception.GetType().Name);
            return ProblemTypes.NotSynced;
        }
    }

    /// <summary>As <see cref="FindRefusalAsync(Caller)"/>, for a route that has read its caller's profile.</summary>
    public async Task<ProblemType?> FindRefusalAsync(Caller caller, Guid userId, UserProfile? profile)
    {
        if (profile is not null)
        {
            return profile.DisabledAt is not null ? ProblemTypes.UserDisabled
                : caller.TrustedTokenIssuedAt is { } issuedAt && issuedAt <= profile.TokensNotBefore ? ProblemTypes.UserErased
                : null;
        }

        try
        {
            return await users[userId].GetStateAsync() == UserState.Erased ? ProblemTypes.UserErased : null;
        }
        catch (Exception exception) when (!TransientErrors.IsTransient(exception))
        {
            // During an upgrade, a silo of an older version lacks the method. Such silos cannot erase users.
            LogNotAsked(exception.GetType().Name);
            return null;
        }
    }

    /// <summary>The answer of a route that has refused its caller.</summary>
    public static ProblemHttpResult Refuse(HttpContext context, ProblemType refusal)
    {
        context.Audit(AuditEvents.UserRefused, reason: refusal.Name);
        refusal.Challenge(context.Response);
        return refusal.ToResult();
    }

    private async Task CheckAsync(HttpContext context, Caller caller, RequestDelegate next)
    {
        if (await FindRefusalAsync(caller).WaitAsync(context) is { } refusal) await Refuse(context, refusal).ExecuteAsync(context);
        else await next(context);
    }

    [LoggerMessage(1160, LogLevel.Debug, "A silo did not answer whether a user was erased ({Reason}).")]
    private partial void LogNotAsked(string reason);
}
