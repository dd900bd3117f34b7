using System.Net.WebSockets;
using Microsoft.AspNetCore.Http.Features;

namespace Pulse.Web.Connections;

/// <summary>
/// Distinguishes a WebSocket that its client closed with a goodbye from one that ended in any other way. SignalR reports both as an end
/// without an error.
/// </summary>
/// <remarks>
/// The goodbye is a close frame with code 1000 or without a code (RFC 6455 section 7.4.1): SignalR's clients send it when the application
/// stops the connection. A browser sends 1001 when the page is closed, reloaded or left, and Pulse's client package sends 4000 when it
/// gives up an unresponsive connection.
/// </remarks>
internal sealed class SocketClosure(IHttpWebSocketFeature inner) : IHttpWebSocketFeature
{
    private WebSocket? _socket;

    public bool IsWebSocketRequest => inner.IsWebSocketRequest;

    /// <summary>
    /// Whether the socket ended without a goodbye from its client. <see langword="false"/> while the socket is open, and after the server
    /// closed it.
    /// </summary>
    public bool IsBroken => _socket switch
    {
        null => false,
        // The frame counts even if the TCP connection was reset right after it, because a client need not wait for the answer to its frame.
        { CloseStatus: { } status } => status is not (WebSocketCloseStatus.NormalClosure or WebSocketCloseStatus.Empty),
        { State: var state } => state == WebSocketState.Aborted,
    };

    public async Task<WebSocket> AcceptAsync(WebSocketAcceptContext context) => _socket = await inner.AcceptAsync(context);

    /// <summary>Observes the socket of each following WebSocket request. Place it between UseWebSockets and the hub.</summary>
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
