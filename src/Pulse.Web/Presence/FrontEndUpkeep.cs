using Microsoft.Extensions.Options;

namespace Pulse.Web.Presence;

/// <summary>Keeps this process and the grains agreed: asks again about all watched users, and reports ended connections that no grain took.</summary>
/// <remarks>The first is spread evenly over its interval, so that no burst delays the sockets' own traffic. Neither waits for the other.</remarks>
internal sealed partial class FrontEndUpkeep(
    FrontEnd frontEnd, PresenceWatches watches, IOptions<HeartbeatOptions> options, TimeProvider time, ILogger<FrontEndUpkeep> logger)
    : BackgroundService
{
    private const int SlicesPerInterval = 60;
    private static readonly TimeSpan EndsInterval = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(RefreshAsync(stoppingToken), TellEndsAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStopped(frontEnd.Count);
        }
    }

    private async Task RefreshAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await PaceAsync(watches.Users.ToArray(), options.Value.WatchRefreshInterval, watches.TryRefreshAsync, stoppingToken);
        }
    }

    private async Task TellEndsAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await frontEnd.TellEndsAsync(stoppingToken);
            await Task.Delay(EndsInterval, time, stoppingToken);
        }
    }

    private async Task PaceAsync<T>(T[] items, TimeSpan interval, Func<T, Task> action, CancellationToken stoppingToken)
    {
        var slice = Math.Max(1, (items.Length + SlicesPerInterval - 1) / SlicesPerInterval);
        for (var i = 0; i < SlicesPerInterval; i++)
        {
            // Not waited for: a silo that does not answer must not keep the others' users from being renewed. Each call ends by its own time-out.
            foreach (var item in items.Skip(i * slice).Take(slice)) _ = action(item);
            await Task.Delay(interval / SlicesPerInterval, time, stoppingToken);
        }
    }

    [LoggerMessage(2110, LogLevel.Debug, "Upkeep stopped with {Count} sockets open.")]
    private partial void LogStopped(int count);
}
