using System.Diagnostics.CodeAnalysis;
using Pulse.Web.Http;

namespace Pulse.Web.Connections;

/// <summary>Counts the messages of one connection, and records whether its client sent SignalR's close message.</summary>
/// <remarks>
/// SignalR reports neither to the hub or its filters. The protocol sees every message but not its connection, so the protocol finds this
/// object through the asynchronous flow: SignalR runs a connection, to its end, within the request that begins it.
/// </remarks>
internal sealed class HubFlow
{
    /// <summary>Messages that a client may send per second in the long run, including messages that are not calls.</summary>
    /// <remarks>
    /// Clients send two heartbeats a minute. A rate far above that is a fault or an attack, and the refusal makes either visible.
    /// </remarks>
    public const int FramesPerSecond = 100;

    /// <summary>Messages that a client may send in a burst after a pause.</summary>
    public const int FramesAtOnce = 1_000;

    // Each refused call costs an answer. A client that sends this many more messages ignores the answers.
    private const int RefusedAtMost = 1_000;

    private static readonly AsyncLocal<HubFlow?> s_current = new();

    private readonly TimeProvider _time;

    // Only a WebSocket's request lasts as long as its connection. The server uses the context of an ended request again, for another client.
    private readonly HttpContext? _webSocket;

    private Budget _accepted = new(FramesPerSecond, FramesAtOnce);
    private Budget _received = new(FramesPerSecond, FramesAtOnce + RefusedAtMost);

    private HubFlow(HttpContext first)
    {
        _time = first.RequestServices.GetRequiredService<TimeProvider>();
        _webSocket = first.WebSockets.IsWebSocketRequest ? first : null;
    }

    /// <summary>The flow of the connection whose message is being parsed or handled.</summary>
    public static HubFlow? Current => s_current.Value;

    /// <summary>Whether the client has sent SignalR's close message.</summary>
    public bool SaidGoodbye { get; set; }

    /// <summary>Whether the last message exceeded the limit.</summary>
    public bool IsOverLimit { get; private set; }

    /// <summary>Whether the connection was ended because its client ignored the refusals.</summary>
    public bool IsCutOff { get; private set; }

    /// <summary>Begins the flow of a connection. Middleware before the hub.</summary>
    public static Task BeginAsync(HttpContext context, RequestDelegate next)
    {
        if (BeginsFlow(context)) s_current.Value = new(context);
        return next(context);
    }

    /// <summary>Counts a message of the client, of any kind.</summary>
    /// <exception cref="InvalidDataException">The client is cut off, because it continued to send after its calls were refused.</exception>
    public void CountFrame()
    {
        var now = _time.GetUtcNow();
        IsOverLimit = !_accepted.TrySpend(now, 1);
        if (!_received.TrySpend(now, 1)) CutOff();
    }

    // Skips the closing handshake, because a client that only sends does not answer it. Clients without a WebSocket share a network
    // connection, so for them the exception ends the SignalR connection.
    [DoesNotReturn]
    private void CutOff()
    {
        IsCutOff = true;
        _webSocket?.Abort();
        throw new InvalidDataException("The client exceeds the message limit of a connection.");
    }

    // A WebSocket, or the first request of an event stream or of long polling.
    private static bool BeginsFlow(HttpContext context) =>
        HubEndpoint.IsConnection(context.Request)
        && (context.WebSockets.IsWebSocketRequest
            || (HttpMethods.IsGet(context.Request.Method) && !string.IsNullOrEmpty(context.Request.Query["id"])));
}
