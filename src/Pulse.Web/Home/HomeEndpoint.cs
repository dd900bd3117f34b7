using Microsoft.Extensions.Diagnostics.HealthChecks;
using Pulse.Silo.Health;
using Pulse.Web.Pages;

namespace Pulse.Web.Home;

/// <summary>The start page.</summary>
internal static class HomeEndpoint
{
    /// <summary>Maps <c>GET /</c>.</summary>
    public static void MapHome(this IEndpointRouteBuilder app) => app.MapGet("/", ShowAsync).AllowAnonymous().ExcludeFromDescription();

    private static async Task<IResult> ShowAsync(HttpContext context, HealthCheckService health, HealthDetails details)
    {
        // Visitors outside Development are the users of an application. Its health is for those who operate it.
        var view = details.AreFor(context)
            ? HealthView.From(await health.CheckHealthAsync(check => check.Tags.Contains(HealthEndpoints.ReadyTag), context.RequestAborted))
            : null;
        return Page.Of<HomePage>(new() { [nameof(HomePage.Health)] = view });
    }
}
