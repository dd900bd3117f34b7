using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Connections;

/// <summary>
/// Empties this front end before it stops: refuses new sockets, and closes the open ones gradually so that their clients reconnect
/// elsewhere.
/// </summary>
internal sealed partial class Drain(ConnectionRegistry registry, IOptions<DrainOptions> options, TimeProvider time, ILogger<Drain> logger) : IHealthCheck
{
    public const string StoppingMessage = "This front end is stopping. Others continue to serve.";

    // Time for SessionEnded to reach the last clients, and for their disconnects to reach the grains.
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(50);

    private volatile bool _isLeaving;
    private volatile bool _isClosed;

    /// <summary>Whether load balancers must send no new requests here.</summary>
    public bool IsLeaving => _isLeaving;

    /// <summary>
    /// Whether new sockets are refused. Load balancers have had time to notice by then, and the open sockets are being closed.
    /// </summary>
    public bool IsClosed => _isClosed;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_isLeaving ? HealthCheckResult.Unhealthy(StoppingMessage) : HealthCheckResult.Healthy());

    /// <summary>Returns once all sockets are closed, or at the timeout.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _isLeaving = true;
        LogDraining(registry.Count);
        await Task.Delay(options.Value.NoticePeriod, time, cancellationToken);
        _isClosed = true;

        var connections = registry.Connections.ToArray();
        Random.Shared.Shuffle(connections);
        var perTick = 1 + (connections.Length / Math.Max(1, (int)(options.Value.Window / s_tick)));
        foreach (var batch in connections.Chunk(perTick))
        {
            // Fire and forget, because a client that has stopped reading would delay the others.
            foreach (var connection in batch) _ = CloseAsync(connection);
            await Task.Delay(s_tick, time, cancellationToken);
        }

        var deadline = time.GetUtcNow() + s_closeTimeout;
        while (registry.Count > 0 && time.GetUtcNow() < deadline) await Task.Delay(s_tick, time, cancellationToken);
        LogDrained(registry.Count);
    }

    private async Task CloseAsync(LiveConnection connection)
    {
        try
        {
            await registry.CloseAsync(connection, SessionEndedMessage.ServerStopping);
        }
        catch (Exception e)
        {
            LogNotifyFailed(e.GetType().Name);
        }
    }

    [LoggerMessage(2300, LogLevel.Information, "Stopping: closing {Count} sockets, so that their clients reconnect elsewhere. A second signal stops at once.")]
    private partial void LogDraining(int count);

    [LoggerMessage(2301, LogLevel.Information, "Stopping with {Count} sockets left.")]
    private partial void LogDrained(int count);

    [LoggerMessage(2302, LogLevel.Debug, "A socket could not be sent the reason ({Reason}).")]
    private partial void LogNotifyFailed(string reason);
}
