using System.Diagnostics.CodeAnalysis;
using Pulse.Web.Audit;

namespace Pulse.Web.Connections;

/// <summary>Counts the messages of one connection, and notes whether its client sent SignalR's close message.</summary>
/// <remarks>
/// SignalR reports neither to the hub or its filters. The protocol sees every message but not its connection, so the protocol finds this object
/// through the asynchronous flow: SignalR runs a connection, to its end, within the request that begins it.
/// </remarks>
internal sealed class HubFlow(HttpContext first, TimeProvider time)
{
    /// <summary>How many messages a client may send per second in the long run, those that are no call included.</summary>
    public const int FramesPerSecond = 100;

    /// <summary>How many messages a client may send at once after a pause.</summary>
    public const int FramesAtOnce = 1_000;

    // Each refused call costs an answer. A client that sends so many more regardless does not listen to them.
    private const int RefusedAtMost = 1_000;

    private static readonly AsyncLocal<HubFlow?> s_current = new();

    private Budget _accepted = new(FramesPerSecond, FramesAtOnce);
    private Budget _received = new(FramesPerSecond, FramesAtOnce + RefusedAtMost);

    /// <summary>The flow of the connection whose message is being parsed or handled.</summary>
    public static HubFlow? Current => s_current.Value;

    /// <summary>Whether the client has sent SignalR's close message.</summary>
    public bool SaidGoodbye { get; set; }

    /// <summary>Whether the last message was one too many.</summary>
    public bool IsOverLimit { get; private set; }

    /// <summary>Begins the flow of a connection. For the pipeline, before the hub.</summary>
    public static Task BeginAsync(HttpContext context, RequestDelegate next)
    {
        if (BeginsFlow(context)) s_current.Value = new(context, context.RequestServices.GetRequiredService<TimeProvider>());
        return next(context);
    }

    /// <summary>Counts a message of the client, whatever it is.</summary>
    /// <exception cref="InvalidDataException">The client is cut off, because it went on sending after its calls were refused.</exception>
    public void CountFrame()
    {
        var now = time.GetUtcNow();
        IsOverLimit = !_accepted.TrySpend(now, 1);
        if (!_received.TrySpend(now, 1)) CutOff();
    }

    // Without waiting for the closing handshake, which a client that only sends does not answer. Clients without a WebSocket have no
    // network connection of their own; for them the exception ends the connection.
    [DoesNotReturn]
    private void CutOff()
    {
        first.Audit(AuditEvents.ConnectionCutOff);
        if (first.WebSockets.IsWebSocketRequest) first.Abort();
        throw new InvalidDataException("The client sends more messages than a connection may.");
    }

    // A WebSocket, or the first request of an event stream or of long polling.
    private static bool BeginsFlow(HttpContext context) =>
        context.Request.Path == HubEndpoint.Path
        && (context.WebSockets.IsWebSocketRequest
            || (HttpMethods.IsGet(context.Request.Method) && !string.IsNullOrEmpty(context.Request.Query["id"])));
}
