using Pulse.Grains;

namespace Pulse.Silo.Startup;

/// <summary>Upgrades the schema before all other services start, and waits for stores that are still starting themselves.</summary>
internal sealed class StoresStartup(IServiceProvider services, ConnectionStrings connections, StartWait wait) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.WhenAll(
        connections.Postgres is null
            ? PrepareDatabaseAsync(cancellationToken)
            : wait.UntilAsync("PostgreSQL", ConnectionStrings.PostgresSetting, TryDatabaseAsync, cancellationToken),
        // Only tested here, because the silo and the presence keys have their own connections.
        connections.Redis is null
            ? Task.CompletedTask
            : wait.UntilAsync("Redis", ConnectionStrings.RedisSetting, token => RedisRights.CheckAsync(connections.Redis, writes: true, token), cancellationToken));

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<string?> TryDatabaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await PrepareDatabaseAsync(cancellationToken);
            return null;
        }
        catch (StoreUnavailableException e)
        {
            return e.Message;
        }
    }

    private async Task PrepareDatabaseAsync(CancellationToken cancellationToken)
    {
        await services.ApplyPulseSchemaAsync(cancellationToken);

        // In a rolling restart the first requests arrive as soon as the silo is a member.
        await services.WarmUpPulseStoresAsync(cancellationToken);
    }
}
