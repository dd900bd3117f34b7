using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Tokens;

namespace Pulse.Web.Sessions;

/// <summary>
/// <c>POST /auth/hub-ticket</c>: issues a ticket for one hub connection to a caller with a token in a header or the session cookie.
/// </summary>
internal static class HubTicketEndpoints
{
    /// <summary>Maps the route.</summary>
    public static void MapHubTickets(this IEndpointRouteBuilder app) =>
        app.MapPost("/auth/hub-ticket", Issue).WithTags("Presence").RequireAuthorization()
            .WithSummary("Issue a ticket for one hub connection")
            .WithDescription("The ticket opens one connection within 60 s, on any front end, as the parameter ticket of the hub's address.")
            .Refuses(ProblemTypes.NotFound);

    private static Results<Ok<HubTicket>, ProblemHttpResult> Issue(
        HttpContext context, SignedInUser user, HubTickets tickets, IOptions<AuthOptions> options,
        [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
    {
        if (!tickets.AreUsable())
            return ProblemTypes.NotFound.ToResult("A silo of an earlier version is running, which does not support tickets. Connect with the access token.");

        // A session lasts for days. Its socket must show a new token as often as a socket that was opened with a token.
        var byCookie = time.GetUtcNow() + options.Value.AccessTokenLifetime;
        var caller = user.Caller;
        if (SessionPrincipal.IsFromCookie(context.User) && caller.ExpiresAt > byCookie) caller = caller with { ExpiresAt = byCookie };
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(tickets.Issue(caller, user.Id));
    }
}
