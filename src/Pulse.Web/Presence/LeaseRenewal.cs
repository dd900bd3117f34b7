using Microsoft.Extensions.Options;

namespace Pulse.Web.Presence;

/// <summary>Renews the leases of all sockets here, spread evenly over each interval so that no burst delays the sockets' own traffic.</summary>
internal sealed partial class LeaseRenewal(FrontEnd frontEnd, IOptions<HeartbeatOptions> options, TimeProvider time, ILogger<LeaseRenewal> logger)
    : BackgroundService
{
    private const int SlicesPerInterval = 60;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = options.Value.LeaseRenewalInterval / SlicesPerInterval;
        try
        {
            while (true)
            {
                var users = frontEnd.ByUser().ToArray();
                var slice = Math.Max(1, (users.Length + SlicesPerInterval - 1) / SlicesPerInterval);
                for (var i = 0; i < SlicesPerInterval; i++)
                {
                    await Task.WhenAll(users.Skip(i * slice).Take(slice).Select(frontEnd.RenewAsync));
                    await frontEnd.TellEndsAsync(options.Value.LeaseDuration);
                    await Task.Delay(pause, time, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStopped(frontEnd.Count);
        }
    }

    [LoggerMessage(2110, LogLevel.Debug, "Lease renewal stopped with {Count} sockets open.")]
    private partial void LogStopped(int count);
}
