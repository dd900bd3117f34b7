using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Pulse.Silo;
using Pulse.Web.Auth;
using Pulse.Web.Sessions;

namespace Pulse.Web.Presence;

/// <summary><c>POST /auth/hub-ticket</c>: a ticket for one hub connection, for a token in a header or the session cookie.</summary>
internal static class HubTicketEndpoints
{
    /// <summary>Maps the route.</summary>
    public static void MapHubTickets(this IEndpointRouteBuilder app) =>
        app.MapPost("/auth/hub-ticket", IssueAsync).WithTags("Presence").RequireAuthorization();

    private static async Task<Results<Ok<HubTicket>, ProblemHttpResult>> IssueAsync(
        HttpContext context, ClaimsPrincipal principal, Callers callers, HubTickets tickets, IOptions<AuthOptions> options,
        [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
    {
        if (!tickets.AreUsable())
            return ProblemTypes.NotFound.ToResult("A silo of an earlier version runs, which knows no tickets. Connect with the access token.");

        var caller = callers.Read(principal);
        if (await callers.FindUserIdAsync(caller) is not { } userId) return ProblemTypes.NotSynced.ToResult();

        // A session lasts for days. A socket has to show a new token as often as one that was opened with a token.
        var byCookie = time.GetUtcNow() + options.Value.AccessTokenLifetime;
        if (SessionPrincipal.IsFromCookie(principal) && caller.ExpiresAt > byCookie) caller = caller with { ExpiresAt = byCookie };
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(tickets.Issue(caller, userId));
    }
}
