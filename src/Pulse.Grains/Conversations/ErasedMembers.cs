using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>Ends the memberships of erased users, and empties their texts.</summary>
/// <remarks>
/// A member's row is deleted by the statement that empties the member's texts in that conversation, so the rows that are left are the work that is
/// left. A silo that crashes leaves it to the others, which look for it every five minutes.
/// </remarks>
internal sealed partial class ErasedMembers(IConversationStore store, IGrainFactory grains, TimeProvider time, ILogger<ErasedMembers> logger) : BackgroundService
{
    private const int AtOnce = 100;

    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(5);

    /// <summary>Does the work that there is now.</summary>
    /// <exception cref="StoreUnavailableException">The database did not answer. The rest is done later.</exception>
    public async Task EraseAsync(CancellationToken cancellationToken = default)
    {
        await store.DeleteErasedBlocksAsync(cancellationToken);
        var (userId, conversationId) = (Guid.Empty, Guid.Empty);
        ConversationError? failure = null;
        while (await store.ListErasedAsync(userId, conversationId, AtOnce, cancellationToken) is [.., var last] parts)
        {
            foreach (var part in parts)
            {
                var answer = await grains.GetGrain<IConversationGrain>(part.ConversationId).ApplyAsync(new() { Kind = EntryKinds.SenderErased, SenderId = part.UserId });

                // One conversation that cannot be reached does not keep the others waiting.
                if (answer.Error != ConversationError.None) failure = answer.Error;
            }

            (userId, conversationId) = last;
        }

        if (failure is not null) throw new StoreUnavailableException($"a conversation answered {failure}");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await EraseAsync(stoppingToken);
                }
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
                {
                    LogLater(e.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    [LoggerMessage(1410, LogLevel.Warning, "The messages of erased users could not be emptied ({Reason}). Pulse tries again in five minutes.")]
    private partial void LogLater(string reason);
}
