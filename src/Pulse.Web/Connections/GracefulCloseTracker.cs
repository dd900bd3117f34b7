using System.Collections.Concurrent;
using Pulse.Web.Http;

namespace Pulse.Web.Connections;

/// <summary>
/// Goodbyes of clients without a WebSocket. SignalR reports a client that stops in the same way as a client that is lost.
/// </summary>
/// <remarks>Such a client says goodbye by SignalR's close message, by a DELETE request (long polling), or by both, in any order.</remarks>
internal sealed class GracefulCloseTracker(TimeProvider time)
{
    // The hub is notified of the end within moments of the request, unless its last call still runs.
    private static readonly TimeSpan s_keptFor = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, bool> _deleted = new();

    /// <summary>Watches the requests that end connections without a WebSocket. Place it before the hub.</summary>
    public Task ObserveAsync(HttpContext context, RequestDelegate next) =>
        HttpMethods.IsDelete(context.Request.Method) && HubEndpoint.IsConnection(context.Request) && TokenOf(context) is { } token
            ? ObserveDeleteAsync(token, context, next)
            : next(context);

    /// <summary>Whether the client of the present connection said goodbye.</summary>
    /// <param name="first">The request that began the connection.</param>
    public bool Take(HttpContext? first) =>
        (HubFlow.Current is { SaidGoodbye: true } && first?.WebSockets.IsWebSocketRequest != true)
        | (first is not null && TokenOf(first) is { } token && _deleted.TryRemove(token, out _));

    private async Task ObserveDeleteAsync(string token, HttpContext context, RequestDelegate next)
    {
        // Recorded before SignalR begins to end the connection, because SignalR answers the request without waiting for that.
        var isAccepted = false;
        _deleted[token] = true;
        try
        {
            await next(context);
            isAccepted = context.Response.StatusCode == StatusCodes.Status202Accepted;
        }
        finally
        {
            if (isAccepted) _ = ForgetAsync(token);
            else _deleted.TryRemove(token, out _);
        }
    }

    private async Task ForgetAsync(string token)
    {
        await Task.Delay(s_keptFor, time);
        _deleted.TryRemove(token, out _);
    }

    private static string? TokenOf(HttpContext context) => context.Request.Query["id"] is [{ Length: > 0 } token] ? token : null;
}
