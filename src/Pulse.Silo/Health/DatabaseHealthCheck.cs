using Microsoft.Extensions.Diagnostics.HealthChecks;
using Pulse.Grains.Storage;

namespace Pulse.Silo.Health;

/// <summary>Whether the database answers within a second, and accepts writes.</summary>
internal sealed class DatabaseHealthCheck(IStoreDatabase database, TimeProvider time) : SharedHealthCheck(time)
{
    protected override async Task<HealthCheckResult> AskAsync()
    {
        try
        {
            return await database.TakesWritesAsync(CancellationToken.None)
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"{database.Name} takes no writes, it is read-only: presence goes on, changes of profiles and sign-in wait for it.");
        }
        catch (StoreUnavailableException)
        {
            return HealthCheckResult.Unhealthy($"{database.Name} does not answer: presence goes on, profiles and sign-in wait for it.");
        }
    }
}
