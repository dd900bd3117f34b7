using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pulse.Users;

namespace Pulse.Grains.Presence;

/// <summary>Asks grains to remove leases and grace periods that have expired.</summary>
/// <remarks>
/// This service is separate from <see cref="KeyRenewalService"/> because thousands of leases expire together after the death of a front
/// end. The keys of all other users are renewed meanwhile.
/// </remarks>
internal sealed partial class LeaseExpiryService(
    PresenceKeys keys, SiloPauseGuard pause, IGrainFactory grains, IOptions<PresenceOptions> options, TimeProvider time,
    ILogger<LeaseExpiryService> logger)
    : BackgroundService
{
    // Leaves capacity for the silo's other work.
    private const int GrainsAtOnce = 64;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = GrainsAtOnce, CancellationToken = stoppingToken };
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (pause.MayExpireLeases) await Parallel.ForEachAsync(keys.FindExpired(), parallel, async (expired, _) => await ExpireAsync(expired.UserId, expired.Deadline));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task ExpireAsync(Guid userId, DateTimeOffset deadline)
    {
        try
        {
            await grains.GetGrain<IUserGrain>(userId).ExpireLeasesAsync();
            if (pause.MayExpireLeases) keys.ReleaseIfUntouched(userId, deadline);
        }
        catch (Exception e)
        {
            // The next round asks again. A grain that fails to answer must not delay the expiry of other grains' leases.
            LogExpiryFailed(e.GetType().Name);
        }
    }

    [LoggerMessage(1113, LogLevel.Debug, "A grain did not remove its expired leases ({Reason}). The next round calls it again.")]
    private partial void LogExpiryFailed(string reason);
}
