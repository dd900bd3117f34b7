using Microsoft.Extensions.Options;
using Pulse.Web.Http;

namespace Pulse.Web.Connections;

/// <summary>Refuses hub requests from pages of other sites unless <c>Pulse:Cors:Origins</c> lists them.</summary>
/// <remarks>
/// Browsers apply no CORS to WebSockets (RFC 6455 section 10.2). The hub accepts only tokens, so a page without one is harmless. This check
/// is the second barrier. Programs other than browsers send no Origin.
/// </remarks>
internal sealed class HubOrigins(IOptions<CorsOptions> cors)
{
    private readonly HashSet<string> _listed = new(cors.Value.Origins, StringComparer.OrdinalIgnoreCase);

    /// <summary>The middleware.</summary>
    public Task RefuseAsync(HttpContext context, RequestDelegate next) =>
        context.Request.Path.StartsWithSegments(HubEndpoint.Path) && context.Request.Headers.Origin is { Count: > 0 } origin && !IsAllowed(context.Request, origin.ToString())
            ? ProblemTypes.CrossSite.WriteAsync(context, "Pages of this origin may not connect. List it in Pulse:Cors:Origins.")
            : next(context);

    // The own origin is compared by host and port. A proxy that terminates TLS without saying so would otherwise block the site's own
    // pages.
    private bool IsAllowed(HttpRequest request, string origin) =>
        _listed.Contains(origin)
        || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
}
