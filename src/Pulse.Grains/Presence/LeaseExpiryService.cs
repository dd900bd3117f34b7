using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pulse.Users;

namespace Pulse.Grains.Presence;

/// <summary>Has grains drop leases and grace periods that have expired.</summary>
/// <remarks>
/// Apart from <see cref="KeyRenewalService"/>: after a front end's death thousands of leases expire together, and however long that takes, the keys of all
/// other users are renewed meanwhile.
/// </remarks>
internal sealed partial class LeaseExpiryService(
    PresenceKeys keys, SiloPauseGuard pause, IGrainFactory grains, IOptions<PresenceOptions> options, TimeProvider time,
    ILogger<LeaseExpiryService> logger)
    : BackgroundService
{
    // The silo has other work too.
    private const int GrainsAtOnce = 64;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = GrainsAtOnce, CancellationToken = stoppingToken };
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (pause.MayExpireLeases) await Parallel.ForEachAsync(keys.FindExpired(), parallel, async (userId, _) => await ExpireAsync(userId));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task ExpireAsync(Guid userId)
    {
        try
        {
            await grains.GetGrain<IUserGrain>(userId).ExpireLeasesAsync();
            if (pause.MayExpireLeases) keys.ReleaseIfOverdue(userId);
        }
        catch (Exception e)
        {
            // The next round asks again. One grain that does not answer must not keep the others' leases.
            LogExpiryFailed(e.GetType().Name);
        }
    }

    [LoggerMessage(1113, LogLevel.Debug, "A grain did not drop its expired leases ({Reason}); the next round asks it again.")]
    private partial void LogExpiryFailed(string reason);
}
