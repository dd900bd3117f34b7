using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Primitives;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Presence;

/// <summary>Presence for clients that read it once instead of watching.</summary>
internal static class PresenceEndpoints
{
    /// <summary>Maximum users of one request.</summary>
    public const int MaxUsers = 200;

    /// <summary>Maps <c>GET /presence?ids=a,b</c>.</summary>
    public static void MapPresence(this IEndpointRouteBuilder app) =>
        app.MapGet("/presence", GetPresenceAsync).WithTags("Presence").RequireAuthorization()
            .WithSummary("Read the presence of users").WithDescription("Users whom the caller may not see, and unknown users, are offline.")
            .QueryList("ids", "User ids.", MaxUsers, "uuid").Refuses(ProblemTypes.Validation, ProblemTypes.TooManyLookups);

    private static async Task<Results<Ok<PresenceResponse[]>, ProblemHttpResult>> GetPresenceAsync(
        HttpContext context, Caller caller, Callers callers, LookupLimit lookups, PresenceReader presences)
    {
        var errors = new ValidationErrors();
        var ids = ParseIds(context.Request.Query["ids"], errors);
        if (errors.Any) return errors.ToProblem();

        var viewer = await callers.FindUserIdAsync(caller) ?? Guid.Empty;
        var retryAfter = viewer == Guid.Empty ? lookups.Spend(caller, ids.Length) : lookups.Spend(viewer, ids.Length);
        if (retryAfter > 0) return LookupLimit.Refuse(context, retryAfter);

        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(await presences.ReadAsync(viewer, ids, context.RequestAborted));
    }

    /// <summary>The distinct ids of all <c>ids</c> parameters, each a comma-separated list, in the order given.</summary>
    internal static Guid[] ParseIds(StringValues parameters, ValidationErrors errors)
    {
        var ids = new List<Guid>();
        var seen = new HashSet<Guid>();
        foreach (var text in parameters.SelectMany(parameter => (parameter ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            if (Caller.ParseUserId(text) is not { } id)
            {
                // Only the first faulty id is reported, because a list of thousands would result in an answer of thousands.
                errors.Add("ids", $"'{Shorten(text)}' is not a hyphenated UUID.");
                return [];
            }

            if (seen.Add(id)) ids.Add(id);
        }

        if (ids.Count > MaxUsers) errors.Add("ids", $"At most {MaxUsers} users at once; there are {ids.Count}.");
        if (ids.Count == 0) errors.Add("ids", "Give one or more user ids, separated by commas.");
        return [.. ids];
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : $"{text[..40]}…";
}
