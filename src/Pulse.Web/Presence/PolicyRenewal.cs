using Microsoft.Extensions.Options;
using Pulse.Web.Connections;

namespace Pulse.Web.Presence;

/// <summary>
/// Asks the policy again about every user in the requests of this process's clients, once in each renewal interval of watches.
/// </summary>
/// <remarks>
/// A user who blocks another is visible to that user for at most this time. A user who becomes visible again is shown without a new
/// request.
/// </remarks>
internal sealed partial class PolicyRenewal(
    ConnectionRegistry registry, PresenceWatches watches, IPresencePolicy policy, IOptions<HubConnectionOptions> options, TimeProvider time, ILogger<PolicyRenewal> logger)
    : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // This policy allows everything, always.
        if (policy is SignedInPresencePolicy) return;

        using var timer = new PeriodicTimer(options.Value.WatchRenewalInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var connection in registry.Connections) await TryRenewAsync(connection, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task TryRenewAsync(LiveConnection connection, CancellationToken stop)
    {
        try
        {
            var (watched, hidden) = WatchList.Of(connection).Asked();
            foreach (var userId in watched)
            {
                if (userId != connection.UserId && !await policy.MaySeeAsync(connection.UserId, userId, stop)) watches.Hide(connection, userId);
            }

            var shown = new List<Guid>();
            foreach (var userId in hidden)
            {
                if (await policy.MaySeeAsync(connection.UserId, userId, stop)) shown.Add(userId);
            }

            if (shown.Count > 0) await watches.ShowAsync(connection, shown);
        }
        catch (Exception exception) when (!stop.IsCancellationRequested)
        {
            // The connection may have ended. A fault of one connection must not stop the check of the others.
            LogFailed(exception.GetType().Name);
        }
    }

    [LoggerMessage(2154, LogLevel.Warning, "The presence policy was not asked again for a connection ({Reason}). The next round retries.")]
    private partial void LogFailed(string reason);
}
