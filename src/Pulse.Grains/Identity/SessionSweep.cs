using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pulse.Grains.Identity;

/// <summary>
/// Deletes the rows of expired sessions whose users do not return, and of one-time tokens that expired long ago. Expired rows are invalid
/// even before this.
/// </summary>
internal sealed partial class SessionSweep(ISessionStore sessions, IOneTimeTokenStore tokens, TimeProvider time, ILogger<SessionSweep> logger) : BackgroundService
{
    // Rows per statement, so that each statement is short. Statements are repeated until all expired rows are deleted.
    private const int RowsAtOnce = 1_000;

    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
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
            var now = time.GetUtcNow();
            var removed = await SweepAllAsync(() => sessions.SweepAsync(now, RowsAtOnce, cancellationToken));
            removed += await SweepAllAsync(() => tokens.SweepAsync(now, RowsAtOnce, cancellationToken));
            if (removed > 0) LogRemoved(removed);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(e.Message);
        }
    }

    private static async Task<int> SweepAllAsync(Func<Task<int>> sweep)
    {
        for (var all = 0; ;)
        {
            var removed = await sweep();
            all += removed;
            if (removed < RowsAtOnce) return all;
        }
    }

    [LoggerMessage(1300, LogLevel.Debug, "Removed {Count} expired sessions and one-time tokens.")]
    private partial void LogRemoved(int count);

    [LoggerMessage(1301, LogLevel.Warning, "Expired sessions or tokens could not be removed. The next sweep retries: {Reason}")]
    private partial void LogFailed(string reason);
}
