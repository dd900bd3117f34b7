using Microsoft.Extensions.Options;
using Pulse.Presence;
using Pulse.Web.Connections;

namespace Pulse.Web.Presence;

/// <summary>Compares what this front end shows of each watched user with the user's presence key, over one lifetime of a key for all of them.</summary>
/// <remarks>Whatever was lost, a wrong state is noticed within that time. Only a user for whom the two differ costs a grain call.</remarks>
internal sealed partial class WatchAudit(
    IGrainFactory grains, PresenceWatches watches, IOptions<HeartbeatOptions> options, TimeProvider time, ILogger<WatchAudit> logger) : BackgroundService
{
    // The shortest time between two looks at how many users there are.
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
            // Before the keys are read, so that a user who leaves meanwhile is compared with an old state, and asked for once too often.
            var isShownOffline = Array.ConvertAll(userIds, watches.IsShownOffline);
            var isOnline = await grains.GetGrain<IPresenceReaderGrain>(0).FindOnlineAsync(userIds);
            if (isOnline.Length == 0) return;

            // An invisible user has a key and is shown as offline, and the grain says so again.
            var differing = userIds.Where((_, i) => isShownOffline[i] is { } offline && offline == isOnline[i]).ToArray();
            if (differing.Length > 0) await watches.AskAsync(differing);
        }
        catch (Exception e)
        {
            LogFailed(e.GetType().Name);
        }
    }

    [LoggerMessage(2153, LogLevel.Debug, "Watched users were not compared with their keys ({Reason}); the next round does.")]
    private partial void LogFailed(string reason);
}
