using Microsoft.Extensions.Diagnostics.HealthChecks;
using Pulse.Grains.Storage;

namespace Pulse.Silo.Health;

/// <summary>Whether the database answers within a second.</summary>
internal sealed class DatabaseHealthCheck(IStoreDatabase database) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await database.PingAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (StoreUnavailableException)
        {
            return HealthCheckResult.Unhealthy($"{database.Name} does not answer: presence goes on, profiles and sign-in wait for it.");
        }
    }
}
