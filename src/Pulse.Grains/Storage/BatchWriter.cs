using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Pulse.Grains.Storage;

/// <summary>Writes, or reads, the items of many callers in one statement. An item that blocks or fails a batch affects only its own caller.</summary>
/// <remarks>
/// While one batch commits, the next collects items, without a timer. A batch that is blocked or refused leaves the queue and is divided in
/// parallel to it, until the item that causes the problem is alone. That item's key becomes a suspect: further items with this key bypass
/// the batches, and one of them at a time is sent to the database. The number of connections is bounded: one for batches, two for parts of
/// batches, two for waiting items.
/// </remarks>
/// <param name="commit">Returns an answer for each item of a batch, in the same order. If it throws, no item of the batch was
/// written.</param>
/// <param name="key">The value that items share if they can block each other, such as a user id.</param>
/// <param name="settings">The bounds.</param>
/// <param name="metrics">Counts isolated items.</param>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim whose wait handle is not used holds nothing to dispose.")]
internal sealed class BatchWriter<TItem, TAnswer>(
    Func<TItem[], BatchLimits, Task<TAnswer[]>> commit, Func<TItem, object> key, BatchSettings settings, StoreMetrics metrics)
{
    // With 16 parts a batch of 200 takes two rounds until each item is alone. With halves it would take eight, each as long as the lock
    // limit.
    private const int Parts = 16;
    private const int MostSuspects = 1_000;

    private static readonly TimeSpan s_suspectAge = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Queue<Member> _queue = [];
    private readonly Dictionary<object, Suspect> _suspects = [];
    private readonly SemaphoreSlim _partLane = new(2);
    private readonly SemaphoreSlim _waitLane = new(2);
    private bool _isCommitting;
    private int _unanswered;

    /// <summary>Writes one item together with those of other callers.</summary>
    /// <param name="item">The item to write.</param>
    /// <param name="cancellationToken">Ends the wait. An item whose caller has cancelled is skipped, unless its statement has
    /// begun.</param>
    /// <returns>The database's answer to this item.</returns>
    /// <exception cref="StoreUnavailableException">No answer within <see cref="BatchSettings.Timeout"/>, or the queue is full.</exception>
    public async Task<TAnswer> AddAsync(TItem item, CancellationToken cancellationToken = default)
    {
        if (Interlocked.Increment(ref _unanswered) > settings.QueueLimit)
        {
            Interlocked.Decrement(ref _unanswered);
            throw new StoreUnavailableException($"{settings.QueueLimit} requests already wait for the database");
        }

        var member = new Member(item, Activity.Current, Stopwatch.GetTimestamp(), cancellationToken);
        Suspect? suspect = null;
        bool isFirst;
        lock (_gate)
        {
            if (_suspects.Count > 0) _suspects.TryGetValue(key(item), out suspect);
            if (suspect is null) _queue.Enqueue(member);
            isFirst = suspect is null && !_isCommitting;
            if (isFirst) _isCommitting = true;
        }

        if (suspect is not null) Start(() => WriteAloneAsync(member, suspect, wasBlocked: false));
        else if (isFirst) Start(CommitAllAsync);
        try
        {
            return await member.Answer.Task.WaitAsync(settings.Timeout, cancellationToken);
        }
        catch (TimeoutException)
        {
            // This timer decides, because the queue's own clock may differ by milliseconds and a refused item must stay unwritten.
            Fail(member, Late());
            throw Late();
        }
    }

    /// <summary>
    /// Runs on the thread pool without the caller's context, because the caller may be a grain and the items of other callers follow.
    /// </summary>
    private static void Start(Func<Task> work)
    {
        using (ExecutionContext.SuppressFlow()) _ = Task.Run(work);
    }

    private async Task CommitAllAsync()
    {
        while (TakeBatch() is { Length: > 0 } batch)
        {
            if (await CommitAsync(batch, BatchLimits.Shared) is { } cause) Start(() => IsolateAsync(batch, cause));
        }
    }

    private Member[] TakeBatch()
    {
        lock (_gate)
        {
            var batch = new List<Member>(Math.Min(_queue.Count, settings.BatchSize));
            while (batch.Count < settings.BatchSize && _queue.TryDequeue(out var member))
            {
                if (!DropIfLeft(member)) batch.Add(member);
            }

            _isCommitting = batch.Count > 0;
            return [.. batch];
        }
    }

    /// <returns>The error with which an available database refused the batch. <see langword="null"/> once each item has its
    /// answer.</returns>
    private async Task<Exception?> CommitAsync(Member[] batch, BatchLimits limits)
    {
        // A statement has one parent: the caller that has waited longest.
        Activity.Current = batch[0].Trace;
        try
        {
            var answers = await commit(Array.ConvertAll(batch, member => member.Item), limits);
            for (var i = 0; i < batch.Length; i++) Answer(batch[i], answers[i]);
        }
        catch (StoreUnavailableException e)
        {
            foreach (var member in batch) Fail(member, e);
        }
        catch (Exception e)
        {
            return e;
        }

        return null;
    }

    private async Task IsolateAsync(Member[] batch, Exception cause)
    {
        if (batch is [var member])
        {
            await WriteAloneAsync(member, cause);
            return;
        }

        await Task.WhenAll(batch.Chunk((batch.Length + Parts - 1) / Parts).Select(async part =>
        {
            Member[] present;
            Exception? again;
            await _partLane.WaitAsync();
            try
            {
                present = Array.FindAll(part, member => !DropIfLeft(member));
                again = present.Length == 0 ? null : await CommitAsync(present, BatchLimits.Shared);
            }
            finally
            {
                _partLane.Release();
            }

            if (again is not null) await IsolateAsync(present, again);
        }));
    }

    private async Task WriteAloneAsync(Member member, Exception cause)
    {
        var suspect = AddSuspect(key(member.Item));
        if (cause is BatchBlockedException)
        {
            await WriteAloneAsync(member, suspect, wasBlocked: true);
            return;
        }

        metrics.IsolatedItem();
        Fail(member, cause);
    }

    /// <summary>Writes one item with a suspect key, without blocking a lane that other items need.</summary>
    private async Task WriteAloneAsync(Member member, Suspect suspect, bool wasBlocked)
    {
        metrics.IsolatedItem();

        // One item per key at a time, because several would wait for the same lock, each with a connection.
        if (!await suspect.Turn.WaitAsync(Remaining(member)))
        {
            Fail(member, Late());
            return;
        }

        try
        {
            var cause = wasBlocked ? null : await CommitInAsync(_partLane, member, () => BatchLimits.Shared);
            if (member.Answer.Task.IsCompletedSuccessfully) RemoveSuspect(member);

            // Waits in slices, so that blocked keys leave the lane to keys that have become free.
            while (!member.Answer.Task.IsCompleted && cause is null or BatchBlockedException && !DropIfLeft(member))
            {
                suspect.SeenAt = Stopwatch.GetTimestamp();
                cause = await CommitInAsync(_waitLane, member, () => BatchLimits.Alone(Remaining(member)));
            }

            if (cause is not null) Fail(member, cause);
        }
        finally
        {
            suspect.Turn.Release();
        }
    }

    private async Task<Exception?> CommitInAsync(SemaphoreSlim lane, Member member, Func<BatchLimits> limits)
    {
        if (!await lane.WaitAsync(Remaining(member))) return Late();
        try
        {
            return DropIfLeft(member) ? Late() : await CommitAsync([member], limits());
        }
        finally
        {
            lane.Release();
        }
    }

    private Suspect AddSuspect(object suspectKey)
    {
        lock (_gate)
        {
            if (_suspects.Count >= MostSuspects)
            {
                foreach (var (old, _) in _suspects.Where(entry => Stopwatch.GetElapsedTime(entry.Value.SeenAt) > s_suspectAge).ToArray()) _suspects.Remove(old);
            }

            if (!_suspects.TryGetValue(suspectKey, out var suspect))
            {
                suspect = new();
                if (_suspects.Count < MostSuspects) _suspects.Add(suspectKey, suspect);
            }

            suspect.SeenAt = Stopwatch.GetTimestamp();
            return suspect;
        }
    }

    private void RemoveSuspect(Member member)
    {
        lock (_gate) _suspects.Remove(key(member.Item));
    }

    private bool DropIfLeft(Member member)
    {
        if (!member.IsFinished && !member.CancellationToken.IsCancellationRequested && Remaining(member) > TimeSpan.Zero) return false;
        Fail(member, Late());
        return true;
    }

    private TimeSpan Remaining(Member member)
    {
        var remaining = settings.Timeout - Stopwatch.GetElapsedTime(member.AddedAt);
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }

    private void Answer(Member member, TAnswer answer)
    {
        if (!member.TryFinish()) return;
        Interlocked.Decrement(ref _unanswered);
        member.Answer.SetResult(answer);
    }

    private void Fail(Member member, Exception cause)
    {
        if (cause is BatchBlockedException) cause = new StoreUnavailableException(cause.Message);
        if (!member.TryFinish()) return;
        Interlocked.Decrement(ref _unanswered);
        member.Answer.SetException(cause);
        _ = member.Answer.Task.Exception; // Observed: the caller may have stopped waiting.
    }

    private StoreUnavailableException Late() => new($"no answer from the database within {settings.Timeout.TotalSeconds:0.#} s");

    private sealed class Member(TItem item, Activity? trace, long addedAt, CancellationToken cancellationToken)
    {
        private int _isFinished;

        public TItem Item => item;

        public Activity? Trace => trace;

        public long AddedAt => addedAt;

        public CancellationToken CancellationToken => cancellationToken;

        // Continuations run asynchronously, so that the next batch is independent of the callers' work.
        public TaskCompletionSource<TAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsFinished => Volatile.Read(ref _isFinished) == 1;

        public bool TryFinish() => Interlocked.Exchange(ref _isFinished, 1) == 0;
    }

    /// <summary>A key whose item blocked or failed a batch.</summary>
    private sealed class Suspect
    {
        public SemaphoreSlim Turn { get; } = new(1);

        public long SeenAt { get; set; }
    }
}
