using Microsoft.Extensions.Options;

namespace Pulse.Web.Connections;

/// <summary>Renews the leases of all sockets of this process, each within its own interval.</summary>
/// <remarks>
/// The users are divided among slots by their id, and each slot is renewed once per interval. A new socket is therefore first renewed at
/// most one interval after it connected, all later renewals are one interval apart, and the sockets' own traffic is never delayed by a
/// burst.
/// </remarks>
internal sealed class LeaseRenewalService(ConnectionRegistry registry, IOptions<HubConnectionOptions> options, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The timer drops late ticks. The elapsed time determines the slots, so that a late tick renews all slots that are due.
        using var timer = new PeriodicTimer(options.Value.LeaseRenewalInterval / ConnectionRegistry.RenewalSlots, time);
        var start = time.GetTimestamp();
        long done = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var due = (long)(time.GetElapsedTime(start) / options.Value.LeaseRenewalInterval * ConnectionRegistry.RenewalSlots);

                // After a pause of more than an interval each slot is due once.
                for (done = Math.Max(done, due - ConnectionRegistry.RenewalSlots); done < due; done++) Renew((int)(done % ConnectionRegistry.RenewalSlots));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    // The calls are not awaited, because an unresponsive silo would delay the renewal of all other users. Each call ends by its own
    // timeout.
    private void Renew(int slot)
    {
        foreach (var connections in registry.ConnectionsOf(slot).GroupBy(connection => connection.UserId)) _ = registry.RenewAsync(connections);
    }
}
