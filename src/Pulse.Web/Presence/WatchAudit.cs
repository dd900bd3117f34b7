using Microsoft.Extensions.Options;
using Pulse.Presence;
using Pulse.Web.Connections;

namespace Pulse.Web.Presence;

/// <summary>
/// Compares this front end's state of each watched user with the user's presence key. A pass over all users takes one lifetime of a key.
/// </summary>
/// <remarks>
/// A wrong state is found within that time, whichever message was lost. Only users whose two states differ cost a grain call.
/// </remarks>
internal sealed partial class WatchAudit(
    IGrainFactory grains, PresenceWatches watches, IOptions<HubConnectionOptions> options, TimeProvider time, ILogger<WatchAudit> logger) : BackgroundService
{
    // Limits the time between two reads of the number of users.
    private const int MinSlices = 6;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var chunks = watches.Users.Chunk(PresenceBatches.MaxUsers).ToArray();
                var pause = options.Value.TimeToLive / Math.Max(MinSlices, chunks.Length);
                if (chunks.Length == 0) await Task.Delay(pause, time, stoppingToken);
                foreach (var chunk in chunks)
                {
                    await Task.Delay(pause, time, stoppingToken);
                    await TryCompareAsync(chunk);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task TryCompareAsync(Guid[] userIds)
    {
        try
        {
            // Read before the keys, so that a user who disconnects meanwhile is compared with an old state. The cost is one superfluous
            // call.
            var isShownOffline = Array.ConvertAll(userIds, watches.IsShownOffline);
            var isOnline = await grains.GetGrain<IPresenceReaderGrain>(0).FindOnlineAsync(userIds);
            if (isOnline.Length == 0) return;

            // An invisible user has a key and is shown as offline, which the grain confirms.
            var differing = userIds.Where((_, i) => isShownOffline[i] is { } offline && offline == isOnline[i]).ToArray();
            if (differing.Length > 0) await watches.AskAsync(differing);
        }
        catch (Exception e)
        {
            LogFailed(e.GetType().Name);
        }
    }

    [LoggerMessage(2153, LogLevel.Debug, "Watched users were not compared with their keys ({Reason}). The next round retries.")]
    private partial void LogFailed(string reason);
}
