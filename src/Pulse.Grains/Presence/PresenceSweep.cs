using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pulse.Grains.Users;
using Pulse.Users;

namespace Pulse.Grains.Presence;

/// <summary>The silo's presence clock: has <see cref="OnlineUsers"/> keep the keys alive, grains drop leases that ran out, and lastSeen saved.</summary>
internal sealed partial class PresenceSweep(
    OnlineUsers users, Standstill standstill, LastSeenWriter lastSeen, IGrainFactory grains, IOptions<PresenceOptions> options, TimeProvider time,
    ILogger<PresenceSweep> logger)
    : BackgroundService
{
    // After a front end's death thousands of leases run out together; the silo has other work too.
    private const int GrainsAtOnce = 64;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        while (await WaitAsync(timer, stoppingToken))
        {
            // A silo that has been declared dead must not set keys.
            if (!standstill.IsOver) continue;
            try
            {
                var (expired, seen) = await users.SweepAsync();
                lastSeen.Queue(seen);
                await Parallel.ForEachAsync(
                    expired,
                    new ParallelOptions { MaxDegreeOfParallelism = GrainsAtOnce, CancellationToken = stoppingToken },
                    async (userId, _) => await grains.GetGrain<IUserGrain>(userId).ExpireLeasesAsync());
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // The next round tries again: a sweep that stopped would leave ghosts for ever.
                LogSweepFailed(e);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static async ValueTask<bool> WaitAsync(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(1110, LogLevel.Warning, "A presence sweep failed; the next one tries again.")]
    private partial void LogSweepFailed(Exception exception);
}
