using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>
/// A second activation of a conversation, as on a silo that the others take for dead. It writes with its own epoch and head, and publishes
/// nothing.
/// </summary>
internal sealed class RivalWriter(ScriptCluster cluster, Guid id, Ledger ledger)
{
    /// <summary>More entries than a front end keeps, and than one answer holds.</summary>
    public const int Many = 520;

    public static readonly BatchLimits Limits = BatchLimits.Alone(TimeSpan.FromSeconds(5));

    private readonly SemaphoreSlim _turn = new(1);
    private Claimed? _claimed;

    public async Task ClaimAsync()
    {
        await _turn.WaitAsync();
        try
        {
            _claimed = (await cluster.Store.ClaimAsync([new(id, IfEpoch: -1)], Limits))[0];
        }
        catch (Exception e) when (e is StoreUnavailableException or BatchBlockedException)
        {
            // Another writer has the row locked.
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Appends messages, if no other writer has claimed the conversation or appended to it meanwhile.</summary>
    public async Task AppendAsync(Guid sender, int count, Func<string> text)
    {
        if (_claimed is null) await ClaimAsync();
        await _turn.WaitAsync();
        try
        {
            if (_claimed is not { } claimed) return;
            var at = Instant.Truncate(cluster.Clock.GetUtcNow());
            NewEntry[] entries =
            [
                .. Enumerable.Range(1, count).Select(i => new NewEntry(new()
                {
                    Seq = claimed.Head + i, Kind = EntryKinds.Message, SenderId = sender, ClientId = Guid.NewGuid(), Body = text(),
                    SentAt = at,
                })),
            ];
            var isStored = await TryAppendAsync(new(id, claimed.Epoch, claimed.Head, entries));
            _claimed = isStored == true ? claimed with { Head = claimed.Head + count } : null;
            foreach (var entry in entries.Select(added => added.Entry))
            {
                var sent = new Sent(new() { Kind = EntryKinds.Message, SenderId = sender, ClientId = entry.ClientId, Text = entry.Body });
                ledger.Commands.Enqueue(sent);
                ledger.Answered(sent, isStored switch
                {
                    true => new() { Seq = entry.Seq, SentAt = at },
                    false => ConversationAnswer.Refuse(ConversationError.Unavailable),
                    null => ConversationAnswer.Refuse(ConversationError.UnknownOutcome),
                });
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <returns><see langword="null"/> when the outcome is unknown.</returns>
    private async Task<bool?> TryAppendAsync(LogRun run)
    {
        try
        {
            return (await cluster.Store.AppendAsync([run], Limits))[0] == AppendOutcome.Stored;
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }
}
