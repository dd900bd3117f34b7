namespace Pulse.Web.Silos;

/// <summary>Tries to reach the silos at start until one is there, or this process is told to stop.</summary>
internal sealed partial class SiloRetry(TimeProvider time, ILogger<SiloRetry> logger) : IClientConnectionRetryFilter
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(1);

    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        LogWaiting(exception.GetType().Name);
        await Task.Delay(Delay, time, cancellationToken);
        return true;
    }

    // The driver's own text may quote what it connects to.
    [LoggerMessage(2200, LogLevel.Information, "Waiting for a silo ({Reason}).")]
    private partial void LogWaiting(string reason);
}
