using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Pulse.Grains.Presence;

/// <summary>Renews the keys of the users that are online by this silo's grains, and queues their lastSeen now and then. Waits for Redis alone.</summary>
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
        // A silo that has been declared dead must not set keys.
        if (!pause.IsRunning) return;
        try
        {
            lastSeen.Queue(keys.TakeSeen());
            await keys.RenewAsync();
        }
        catch (Exception e)
        {
            // The next round renews them: a loop that ended would let every key expire.
            LogRenewalFailed(e);
        }
    }

    [LoggerMessage(1110, LogLevel.Warning, "Renewing the presence keys failed; the next round renews them.")]
    private partial void LogRenewalFailed(Exception exception);
}
