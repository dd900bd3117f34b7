using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Tokens;

namespace Pulse.Web.Sessions;

/// <summary>Lists and ends the caller's sessions, and issues a token for one.</summary>
internal static class SessionEndpoints
{
    /// <summary>
    /// Maps <c>POST /auth/token</c> (session cookie only), <c>/auth/sessions</c> and <c>/auth/signout</c> (cookie or token).
    /// </summary>
    public static void MapSessions(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/auth").WithTags("Sessions").RequireAuthorization();
        group.MapGet("/sessions", ListAsync).WithSummary("List the caller's sessions");
        group.MapDelete("/sessions/{id}", EndAsync).WithSummary("End one of the caller's sessions").PathId("id", "Session id.")
            .Refuses(ProblemTypes.SessionNotFound);
        group.MapPost("/token", IssueTokenAsync)
            .RequireAuthorization(new AuthorizeAttribute { AuthenticationSchemes = SessionHandler.Scheme })
            .WithSummary("Issue an access token for the session")
            .WithDescription("For REST and the hub. Its lifetime is the setting Pulse:Auth:AccessTokenLifetime.");

        // A form that is posted after its session has ended redirects to the same page as usual.
        var signOut = app.MapGroup("/auth/signout").WithTags("Sessions").RequireSignIn()
            .WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status204NoContent, typeof(void)),
                new ProducesResponseTypeMetadata(StatusCodes.Status303SeeOther, typeof(void)))
            .Refuses(ProblemTypes.FormOutdated);
        signOut.MapPost("", SignOutAsync).WithSummary("End this session").Refuses(ProblemTypes.NoSession);
        signOut.MapPost("/everywhere", SignOutEverywhereAsync).WithSummary("End all sessions of the caller");
    }

    private static async Task<Results<Ok<SessionResponse[]>, ProblemHttpResult>> ListAsync(
        HttpContext context, SignedInUser user, IGrainFactory grains)
    {
        var sessions = await grains.GetGrain<IUserSessionsGrain>(user.Id).ListAsync();
        NeverStore(context);
        return TypedResults.Ok(Array.ConvertAll(sessions, session => SessionResponse.From(session, user.SessionId)));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> EndAsync(
        string id, HttpContext context, SignedInUser user, IGrainFactory grains, SignInService cookie)
    {
        // Another user's session is searched among the caller's own, so it is as unknown as an invented id.
        if (Caller.ParseUuid(id) is not { } sessionId || !await grains.GetGrain<IUserSessionsGrain>(user.Id).EndAsync(sessionId))
        {
            context.Audit(AuditEvents.AccessRefused, reason: "session-not-found");
            return ProblemTypes.SessionNotFound.ToResult();
        }

        context.Audit(AuditEvents.SessionEnded, user.Id, sessionId);
        if (sessionId == user.SessionId) cookie.Forget(context);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<AccessToken>, ProblemHttpResult>> IssueTokenAsync(
        HttpContext context, SignedInUser user, IGrainFactory grains, TokenIssuer tokens)
    {
        if (await grains.GetGrain<IUserGrain>(user.Id).GetProfileAsync() is not { } profile) return ProblemTypes.SignedOut.ToResult();

        NeverStore(context);
        return TypedResults.Ok(tokens.IssueForSession(profile, user.SessionId!.Value, user.Caller.ExpiresAt, user.Caller.SignedInAt));
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, SignedInUser user, SignInService cookie)
    {
        if (user.SessionId is null) return ProblemTypes.NoSession.ToResult();

        await cookie.SignOutAsync(context);
        return SignedOut(context);
    }

    private static async Task<IResult> SignOutEverywhereAsync(HttpContext context, SignedInUser user, IGrainFactory grains, SignInService cookie)
    {
        await grains.GetGrain<IUserSessionsGrain>(user.Id).EndAllAsync();
        context.Audit(AuditEvents.SignedOutEverywhere, user.Id, user.SessionId);
        cookie.Forget(context);
        return SignedOut(context);
    }

    // RFC 9110 section 15.4.4: after a form a page follows, so that reloading it sends nothing again.
    private static IResult SignedOut(HttpContext context)
    {
        if (!context.Request.HasFormContentType) return TypedResults.NoContent();
        context.Response.Headers.Location = context.Request.PathBase.Value + SignInRedirect.SignInPath;
        return TypedResults.StatusCode(StatusCodes.Status303SeeOther);
    }

    // RFC 9111 section 5.2.2.5: personal data must not be stored in any cache, including a browser's own.
    private static void NeverStore(HttpContext context) => context.Response.Headers.CacheControl = "no-store";
}
