using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>Joins the writes of all conversations of this silo, and the reads of many clients that return at once, into few statements.</summary>
/// <remarks>
/// A statement whose outcome is unknown may be repeated by the layers below, and may still commit later. Epoch and head make that harmless: at most one
/// of the repetitions changes anything, and after a claim none does.
/// </remarks>
internal sealed class ConversationWriter
{
    // Shorter than a send may take, so that a claim can find out what became of an append.
    private static readonly TimeSpan s_appendTimeout = TimeSpan.FromSeconds(1.4);
    private static readonly TimeSpan s_claimTimeout = TimeSpan.FromSeconds(1.5);

    // Within the time of a call of the chat. Those of a storm wait for one another.
    private static readonly TimeSpan s_syncTimeout = TimeSpan.FromSeconds(3.5);

    // Clients that return at once come over some seconds. So many statements a second leave the pool to the others.
    private static readonly TimeSpan s_syncPace = TimeSpan.FromMilliseconds(25);

    private readonly IConversationStore _store;
    private readonly TimeProvider _time;
    private readonly BatchWriter<LogRun, AppendOutcome> _appends;
    private readonly BatchWriter<Claim, Claimed?> _claims;
    private readonly BatchWriter<Guid, Claimed?> _heads;
    private readonly BatchWriter<ReadMark, long> _marks;
    private readonly BatchWriter<SyncCall, SyncedConversation[]> _syncs;
    private long _syncedAt;

    public ConversationWriter(IConversationStore store, StoreMetrics metrics, TimeProvider time)
    {
        (_store, _time) = (store, time);
        _appends = new(store.AppendAsync, run => run.ConversationId, new(BatchSize: 256, QueueLimit: 50_000, s_appendTimeout), metrics);
        _claims = new(store.ClaimAsync, claim => claim.Id, new(BatchSize: 256, QueueLimit: 50_000, s_claimTimeout), metrics);
        _heads = new(store.FindHeadsAsync, id => id, new(BatchSize: 1_000, QueueLimit: 50_000, s_claimTimeout), metrics);
        _marks = new(store.MarkReadAsync, mark => (mark.ConversationId, mark.UserId), new(BatchSize: 256, QueueLimit: 50_000, s_claimTimeout), metrics);
        _syncs = new(SyncAllAsync, call => call, new(BatchSize: 25, QueueLimit: 50_000, s_syncTimeout), metrics);
    }

    /// <summary>Appends a run.</summary>
    /// <exception cref="StoreUnavailableException">The outcome is unknown: a claim decides.</exception>
    public Task<AppendOutcome> AppendAsync(LogRun run) => _appends.AddAsync(run);

    /// <summary>Takes over a conversation.</summary>
    /// <returns><see langword="null"/> when there is no such conversation, or it has another epoch.</returns>
    /// <exception cref="StoreUnavailableException">No answer.</exception>
    public Task<Claimed?> ClaimAsync(Claim claim) => _claims.AddAsync(claim);

    /// <summary>Epoch and head as the database has them.</summary>
    /// <exception cref="StoreUnavailableException">No answer.</exception>
    public Task<Claimed?> FindHeadAsync(Guid id) => _heads.AddAsync(id);

    /// <summary>Moves a read marker forward.</summary>
    /// <returns>The marker after the commit.</returns>
    /// <exception cref="StoreUnavailableException">No answer.</exception>
    public Task<long> MarkReadAsync(ReadMark mark) => _marks.AddAsync(mark);

    /// <summary>Reads what a client that returns has missed.</summary>
    /// <exception cref="StoreUnavailableException">No answer.</exception>
    public Task<SyncedConversation[]> SyncAsync(SyncCall call) => _syncs.AddAsync(call);

    // A single client does not wait. Those of a storm gather for the next statement.
    private async Task<SyncedConversation[][]> SyncAllAsync(SyncCall[] calls, BatchLimits limits)
    {
        var wait = s_syncPace - _time.GetElapsedTime(_syncedAt);
        if (_syncedAt > 0 && wait > TimeSpan.Zero) await Task.Delay(wait, _time);
        _syncedAt = _time.GetTimestamp();
        return await _store.SyncAsync(calls);
    }
}
