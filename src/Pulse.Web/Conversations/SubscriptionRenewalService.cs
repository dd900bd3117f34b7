namespace Pulse.Web.Conversations;

/// <summary>Renews the subscriptions of this front end, so that all sockets get new entries also after the death of a silo.</summary>
internal sealed class SubscriptionRenewalService(OpenConversations conversations, TimeProvider time) : BackgroundService
{
    private const int AtOnce = 64;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await Parallel.ForEachAsync(
                    conversations.All, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken },
                    async (conversation, _) => await conversations.RenewAsync(conversation));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }
}
