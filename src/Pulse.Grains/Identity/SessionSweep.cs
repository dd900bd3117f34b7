using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pulse.Grains.Identity;

/// <summary>Removes the rows of sessions that ran out and whose users do not come back. What it leaves behind counts for nothing all the same.</summary>
internal sealed partial class SessionSweep(ISessionStore store, TimeProvider time, ILogger<SessionSweep> logger) : BackgroundService
{
    // Bounded, so that the first sweep of a table that was never swept is no burden: a million rows are gone within four days.
    private const int RowsAtOnce = 1_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await SweepAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        try
        {
            var removed = await store.SweepAsync(time.GetUtcNow(), RowsAtOnce, cancellationToken);
            if (removed > 0) LogRemoved(removed);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailed(e.Message);
        }
    }

    [LoggerMessage(1300, LogLevel.Debug, "Removed {Count} sessions that had run out.")]
    private partial void LogRemoved(int count);

    [LoggerMessage(1301, LogLevel.Warning, "Sessions that ran out could not be removed; the next sweep tries again: {Reason}")]
    private partial void LogFailed(string reason);
}
