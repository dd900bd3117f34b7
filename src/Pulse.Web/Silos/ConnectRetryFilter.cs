namespace Pulse.Web.Silos;

/// <summary>Retries the first connection to the silos until one is available, or this process is asked to stop.</summary>
internal sealed partial class ConnectRetryFilter(TimeProvider time, ILogger<ConnectRetryFilter> logger) : IClientConnectionRetryFilter
{
    private static readonly TimeSpan s_delay = TimeSpan.FromSeconds(1);

    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        LogWaiting(exception.GetType().Name);
        await Task.Delay(s_delay, time, cancellationToken);
        return true;
    }

    // The driver's own text may quote its connection string.
    [LoggerMessage(2200, LogLevel.Information, "Waiting for a silo ({Reason}).")]
    private partial void LogWaiting(string reason);
}
