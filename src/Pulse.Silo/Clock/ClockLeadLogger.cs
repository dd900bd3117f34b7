namespace Pulse.Silo.Clock;

/// <summary>Logs when the wall clock was set back while this process runs, and when the process's clock matches it again.</summary>
internal sealed partial class ClockLeadLogger(TimeProvider time, ILogger<ClockLeadLogger> logger) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    // NTP corrects less than this every day.
    private static readonly TimeSpan s_threshold = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (time is not SteadyClock clock) return;
        using var timer = new PeriodicTimer(s_interval, time);
        var wasAhead = false;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var lead = clock.Lead;
                if (!wasAhead && lead > s_threshold) LogSetBack(lead.TotalSeconds);
                else if (wasAhead && lead == TimeSpan.Zero) LogAgrees();
                wasAhead = lead > (wasAhead ? TimeSpan.Zero : s_threshold);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    [LoggerMessage(3210, LogLevel.Warning, "The wall clock was set back by {Seconds:F0} s. This process goes on with its own time, a tenth slower, until both agree.")]
    private partial void LogSetBack(double seconds);

    [LoggerMessage(3211, LogLevel.Information, "The wall clock has caught up with this process's time.")]
    private partial void LogAgrees();
}
