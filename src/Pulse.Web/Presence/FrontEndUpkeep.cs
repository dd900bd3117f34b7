using Microsoft.Extensions.Options;

namespace Pulse.Web.Presence;

/// <summary>Keeps this process and the grains agreed: renews the leases of all sockets here, and tells ends that were not taken.</summary>
/// <remarks>Renewals are spread evenly over their interval, so that no burst delays the sockets' own traffic. Neither waits for the other.</remarks>
internal sealed partial class FrontEndUpkeep(
    FrontEnd frontEnd, IOptions<HeartbeatOptions> options, TimeProvider time, ILogger<FrontEndUpkeep> logger)
    : BackgroundService
{
    private const int SlicesPerInterval = 60;
    private static readonly TimeSpan EndsInterval = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(RenewAsync(stoppingToken), TellEndsAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStopped(frontEnd.Count);
        }
    }

    private async Task RenewAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            var users = frontEnd.Connections.GroupBy(connection => connection.UserId).ToArray();
            await PaceAsync(users, options.Value.LeaseRenewalInterval, frontEnd.RenewAsync, stoppingToken);
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
