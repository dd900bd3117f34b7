using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>Ends the memberships of erased users, and empties their texts.</summary>
/// <remarks>
/// In each conversation the entry <c>sender-erased</c> deletes the member's row, and from then on the member's texts are unreadable. The
/// append empties a first part of the texts, and the rest follows in steps (011_erasures.sql), so that each statement is short however much
/// a member has written. The remaining rows in <c>members</c> and <c>erasures</c> are the remaining work. The other silos look for the work
/// of a crashed silo every five minutes.
/// </remarks>
internal sealed partial class ErasedMembers(IConversationStore store, IGrainFactory grains, TimeProvider time, ILogger<ErasedMembers> logger) : BackgroundService
{
    private const int PageSize = 100;

    // Few, because sends of other users share the statements of these appends.
    private const int AtOnce = 4;

    // Sends to the conversation wait for a step, in SQLite all writes. 500 messages take PostgreSQL some 10 ms, and SQLite, which removes each word from
    // its index at once, up to 500.
    private const int FirstStep = 100;
    private const int LargestStep = 500;

    private static readonly TimeSpan s_longStep = TimeSpan.FromMilliseconds(50);
    private static readonly BatchLimits s_stepLimits = new(Lock: TimeSpan.FromMilliseconds(100), Statement: TimeSpan.FromMilliseconds(300));
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(5);

    private readonly Guid _worker = Guid.NewGuid();
    private TaskCompletionSource _wake = new();

    /// <summary>Ends the memberships of one erased user, which makes the user's texts unreadable. Their rows are emptied soon afterwards.</summary>
    /// <exception cref="StoreUnavailableException">The database or a conversation did not answer. The rest is done later.</exception>
    public async Task EraseAsync(Guid userId, CancellationToken cancellationToken = default)
    {
        try
        {
            await store.DeleteErasedBlocksAsync(userId, cancellationToken);
            ThrowIf(await EndMembershipsAsync(userId, cancellationToken));
        }
        finally
        {
            Volatile.Read(ref _wake).TrySetResult();
        }
    }

    /// <summary>Does the work that there is now, for all erased users.</summary>
    /// <exception cref="StoreUnavailableException">The database or a conversation did not answer. The rest is done later.</exception>
    public async Task EraseAllAsync(CancellationToken cancellationToken = default)
    {
        await store.DeleteErasedBlocksAsync(null, cancellationToken);
        var failure = await EndMembershipsAsync(null, cancellationToken);
        ThrowIf(await EmptyAsync(cancellationToken) ?? failure);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var allDoneAt = time.GetTimestamp();
        while (true)
        {
            var left = s_interval - time.GetElapsedTime(allDoneAt);
            if (left > TimeSpan.Zero) await _wake.Task.WaitAsync(left, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                if (_wake.Task.IsCompleted)
                {
                    // Before the work is listed: an erasure that comes later wakes the next round.
                    Volatile.Write(ref _wake, new());
                    ThrowIf(await EmptyAsync(stoppingToken));
                    continue;
                }

                allDoneAt = time.GetTimestamp();
                await EraseAllAsync(stoppingToken);
            }
            catch (Exception e)
            {
                if (stoppingToken.IsCancellationRequested) return;
                LogLater(e is StoreUnavailableException ? e.Message : e.GetType().Name);
            }
        }
    }

    /// <returns>Why some of them are left.</returns>
    private async Task<string?> EndMembershipsAsync(Guid? userId, CancellationToken cancellationToken)
    {
        string? failure = null;
        MemberOf? after = null;
        while (await store.ListErasedAsync(userId, after, PageSize, cancellationToken) is [.., var last] parts)
        {
            await Parallel.ForEachAsync(
                parts, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                async (part, _) =>
                {
                    if (await EndMembershipAsync(part) is { } reason) failure = reason;
                });
            after = last;
        }

        return failure;
    }

    private async Task<string?> EndMembershipAsync(MemberOf part)
    {
        try
        {
            var answer = await grains.GetGrain<IConversationGrain>(part.ConversationId).ApplyAsync(new() { Kind = EntryKinds.SenderErased, SenderId = part.UserId });
            return answer.Error == ConversationError.None ? null : $"a conversation answered {answer.Error}";
        }
        catch (Exception e)
        {
            // A conversation that cannot be reached does not keep the others waiting, whatever the reason.
            return $"a conversation failed with {e.GetType().Name}";
        }
    }

    /// <returns>Why some of them are left.</returns>
    private async Task<string?> EmptyAsync(CancellationToken cancellationToken)
    {
        string? failure = null;
        foreach (var part in await store.ListErasuresAsync(cancellationToken))
        {
            try
            {
                await EmptyAsync(part, cancellationToken);
            }
            catch (BatchBlockedException e)
            {
                failure = e.Message;
            }
        }

        return failure;
    }

    private async Task EmptyAsync(MemberOf part, CancellationToken cancellationToken)
    {
        var count = FirstStep;
        while (true)
        {
            var startedAt = time.GetTimestamp();
            try
            {
                if (await store.EraseNextAsync(part, _worker, count, s_stepLimits) != ErasureStep.More) return;
            }
            catch (BatchBlockedException) when (count > 1)
            {
                // Rows that are not in the server's memory take longer.
            }

            var took = time.GetElapsedTime(startedAt);
            count = took > s_longStep ? Math.Max(1, count / 2) : Math.Min(2 * count, LargestStep);

            // Sends get at least as much time as the steps.
            await Task.Delay(took > s_shortestPause ? took : s_shortestPause, time, cancellationToken);
        }
    }

    private static void ThrowIf(string? failure)
    {
        if (failure is not null) throw new StoreUnavailableException(failure);
    }

    [LoggerMessage(1410, LogLevel.Warning, "The messages of erased users could not be emptied: {Reason}. Pulse tries again within five minutes.")]
    private partial void LogLater(string reason);
}
