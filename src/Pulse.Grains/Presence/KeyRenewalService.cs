using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Pulse.Grains.Presence;

/// <summary>
/// Renews the keys of users whose grains on this silo report them online, and queues their lastSeen at intervals. Depends on Redis only.
/// </summary>
internal sealed partial class KeyRenewalService(
    PresenceKeys keys, SiloPauseGuard pause, LastSeenWriter lastSeen, IOptions<PresenceOptions> options, TimeProvider time,
    ILogger<KeyRenewalService> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await RenewAsync();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task RenewAsync()
    {
        // Only a silo that is still a member may set keys.
        if (!pause.IsRunning) return;
        try
        {
            lastSeen.Queue(keys.TakeSeen());
            await keys.RenewAsync();
        }
        catch (Exception e)
        {
            // The next round renews the keys. If the loop ended, every key would expire.
            LogRenewalFailed(e);
        }
    }

    [LoggerMessage(1110, LogLevel.Warning, "Renewing the presence keys failed. The next round renews them.")]
    private partial void LogRenewalFailed(Exception exception);
}
