using System.Diagnostics.CodeAnalysis;
using Pulse.Web.Audit;

namespace Pulse.Web.Connections;

/// <summary>Counts the messages of one connection, and records whether its client sent SignalR's close message.</summary>
/// <remarks>
/// SignalR reports neither to the hub or its filters. The protocol sees every message but not its connection, so the protocol finds this
/// object through the asynchronous flow: SignalR runs a connection, to its end, within the request that begins it.
/// </remarks>
internal sealed class HubFlow(HttpContext first, TimeProvider time)
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

    private Budget _accepted = new(FramesPerSecond, FramesAtOnce);
    private Budget _received = new(FramesPerSecond, FramesAtOnce + RefusedAtMost);

    /// <summary>The flow of the connection whose message is being parsed or handled.</summary>
    public static HubFlow? Current => s_current.Value;

    /// <summary>Whether the client has sent SignalR's close message.</summary>
    public bool SaidGoodbye { get; set; }

    /// <summary>Whether the last message exceeded the limit.</summary>
    public bool IsOverLimit { get; private set; }

    /// <summary>Begins the flow of a connection. Middleware before the hub.</summary>
    public static Task BeginAsync(HttpContext context, RequestDelegate next)
    {
        if (BeginsFlow(context)) s_current.Value = new(context, context.RequestServices.GetRequiredService<TimeProvider>());
        return next(context);
    }

    /// <summary>Counts a message of the client, of any kind.</summary>
    /// <exception cref="InvalidDataException">The client is cut off, because it continued to send after its calls were refused.</exception>
    public void CountFrame()
    {
        var now = time.GetUtcNow();
        IsOverLimit = !_accepted.TrySpend(now, 1);
        if (!_received.TrySpend(now, 1)) CutOff();
    }

    // Skips the closing handshake, because a client that only sends does not answer it. Clients without a WebSocket share a network
    // connection, so for them the exception ends the SignalR connection.
    [DoesNotReturn]
    private void CutOff()
    {
        first.Audit(AuditEvents.ConnectionCutOff);
        if (first.WebSockets.IsWebSocketRequest) first.Abort();
        throw new InvalidDataException("The client exceeds the message limit of a connection.");
    }

    // A WebSocket, or the first request of an event stream or of long polling.
    private static bool BeginsFlow(HttpContext context) =>
        context.Request.Path == HubEndpoint.Path
        && (context.WebSockets.IsWebSocketRequest
            || (HttpMethods.IsGet(context.Request.Method) && !string.IsNullOrEmpty(context.Request.Query["id"])));
}
