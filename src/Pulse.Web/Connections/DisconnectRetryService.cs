namespace Pulse.Web.Connections;

/// <summary>Retries the reports of ended connections that no grain has accepted.</summary>
internal sealed class DisconnectRetryService(ConnectionRegistry registry, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                registry.RetryDisconnects();
                await Task.Delay(s_interval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }
}
