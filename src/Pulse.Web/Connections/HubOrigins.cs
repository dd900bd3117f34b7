using Microsoft.Extensions.Options;
using Pulse.Web.Http;

namespace Pulse.Web.Connections;

/// <summary>Refuses hub requests of pages of other sites that <c>Pulse:Cors:Origins</c> does not list.</summary>
/// <remarks>
/// Browsers apply no CORS to WebSockets (RFC 6455 section 10.2). The hub takes tokens alone, so such a page could do nothing without one; this check
/// keeps that from being the only reason. Programs that are no browsers send no Origin.
/// </remarks>
internal sealed class HubOrigins(IOptions<CorsOptions> cors)
{
    private readonly HashSet<string> _listed = new(cors.Value.Origins, StringComparer.OrdinalIgnoreCase);

    /// <summary>For the pipeline.</summary>
    public Task RefuseAsync(HttpContext context, RequestDelegate next) =>
        context.Request.Path.StartsWithSegments(HubEndpoint.Path) && context.Request.Headers.Origin is { Count: > 0 } origin && !IsAllowed(context.Request, origin.ToString())
            ? ProblemTypes.CrossSite.WriteAsync(context, "Pages of this origin may not connect. List it in Pulse:Cors:Origins.")
            : next(context);

    // The own origin by host and port: a proxy that ends TLS and does not say so would otherwise cut off the site's own pages.
    private bool IsAllowed(HttpRequest request, string origin) =>
        _listed.Contains(origin)
        || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
}
