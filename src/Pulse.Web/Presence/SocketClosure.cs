using System.Net.WebSockets;
using Microsoft.AspNetCore.Http.Features;

namespace Pulse.Web.Presence;

/// <summary>Tells a socket that broke from one that its client closed. SignalR reports both as an end without an error.</summary>
internal sealed class SocketClosure(IHttpWebSocketFeature inner) : IHttpWebSocketFeature
{
    private WebSocket? _socket;

    public bool IsWebSocketRequest => inner.IsWebSocketRequest;

    /// <summary>Whether the socket ended without a goodbye: neither a close frame (RFC 6455 section 5.5.1; browsers send one for a closed tab) nor SignalR's own.</summary>
    public bool IsBroken => _socket is { State: WebSocketState.Aborted };

    public async Task<WebSocket> AcceptAsync(WebSocketAcceptContext context) => _socket = await inner.AcceptAsync(context);

    /// <summary>Watches the socket of each WebSocket request that follows. Goes between UseWebSockets and the hub.</summary>
    public static Task ObserveAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<IHttpWebSocketFeature>() is { IsWebSocketRequest: true } feature)
        {
            var closure = new SocketClosure(feature);
            context.Features.Set<IHttpWebSocketFeature>(closure);
            context.Features.Set(closure);
        }

        return next(context);
    }
}
