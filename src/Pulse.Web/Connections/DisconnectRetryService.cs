namespace Pulse.Web.Connections;

/// <summary>Reports ended connections again that no grain took when they ended.</summary>
internal sealed class DisconnectRetryService(FrontEnd frontEnd, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                frontEnd.RetryEnds();
                await Task.Delay(Interval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }
}
