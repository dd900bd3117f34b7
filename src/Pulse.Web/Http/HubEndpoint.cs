using Pulse.Presence;

namespace Pulse.Web.Http;

/// <summary>The path and the timeout of the hub.</summary>
internal static class HubEndpoint
{
    public const string Path = "/hubs/pulse";

    private const string Negotiate = "negotiate";

    /// <summary>See <see cref="LeaseTimes.ClientTimeout"/>.</summary>
    public static readonly TimeSpan ClientTimeout = LeaseTimes.ClientTimeout;

    /// <summary>Whether the request is for a connection. As in routing, a slash at the end of the path has no meaning.</summary>
    public static bool IsConnection(HttpRequest request) => request.Path.StartsWithSegments(Path, out var rest) && rest.Value is "" or "/";

    /// <summary>Whether the request negotiates a connection.</summary>
    public static bool IsNegotiation(HttpRequest request) =>
        request.Path.StartsWithSegments(Path, out var rest) && rest.Value!.Trim('/').Equals(Negotiate, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether the request begins a connection: a negotiation, or a WebSocket without one. SignalR ignores the id of a negotiation, and an
    /// empty id counts as missing. SignalR reads the query as well, so its parsing adds no cost.
    /// </summary>
    public static bool BeginsConnection(HttpRequest request) => IsNegotiation(request) || (IsConnection(request) && string.IsNullOrEmpty(request.Query["id"]));
}
