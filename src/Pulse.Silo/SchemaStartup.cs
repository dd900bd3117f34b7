using Pulse.Grains.Storage;

namespace Pulse.Silo;

/// <summary>Brings the schema up to date before anything else starts, and waits a while for a database that is still starting itself.</summary>
internal sealed partial class SchemaStartup(IServiceProvider services, TimeProvider time, ILogger<SchemaStartup> logger) : IHostedService
{
    // Containers start in any order; past this an operator is served better by an exit than by a process that hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                await services.ApplyPulseSchemaAsync(cancellationToken);

                // In a rolling restart the first requests come as soon as the silo is a member.
                await services.WarmUpPulseStoresAsync(cancellationToken);
                return;
            }
            catch (StoreUnavailableException e) when (time.GetElapsedTime(start) < Patience)
            {
                LogWaiting(e.Message);
                await Task.Delay(RetryDelay, time, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(3100, LogLevel.Warning, "Waiting for the database before starting: {Reason}")]
    private partial void LogWaiting(string reason);
}
