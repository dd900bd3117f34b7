using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Presence;

/// <summary>Commits the lastSeen of many users in one statement, and keeps each value until the database has committed it.</summary>
/// <remarks>
/// A row that another session has locked, or that the database refuses, delays only its own value. At shutdown the writer waits for its
/// queue, so it is registered before the silo and stops after it. It holds at most one value per user.
/// </remarks>
internal sealed partial class LastSeenWriter : BackgroundService
{
    // A statement of this size takes about ten milliseconds. Larger statements would hold row locks for too long.
    private const int BatchSize = 2_000;
    private const int QueueLimit = 50_000;

    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_maxRetryDelay = TimeSpan.FromMinutes(1);

    // The caller is a grain, and its user cannot connect while the grain waits.
    private static readonly TimeSpan s_callerTimeout = TimeSpan.FromMilliseconds(500);

    // Timeout of the database's answer, independent of the caller's: a statement may take effect after its caller has stopped waiting.
    private static readonly TimeSpan s_commitTimeout = TimeSpan.FromSeconds(2);

    private readonly ILastSeenStore _store;
    private readonly ILogger<LastSeenWriter> _logger;
    private readonly BatchWriter<LastSeen, bool> _writer;
    private readonly SemaphoreSlim _work = new(0, 1);
    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, KeptValue> _kept = [];
    private bool _isUnavailable;
    private long _answeredAt;

    public LastSeenWriter(ILastSeenStore store, StoreMetrics metrics, ILogger<LastSeenWriter> logger)
    {
        _store = store;
        _logger = logger;
        _writer = new(CommitAsync, seen => seen.UserId, new(BatchSize, QueueLimit, s_commitTimeout), metrics);
    }

    /// <summary>Saves the value. If two values are saved for one user, the later is kept.</summary>
    /// <returns>A task that completes when the value is committed.</returns>
    /// <exception cref="StoreUnavailableException">
    /// The database did not commit the value within half a second, or did not answer the last statement. The value is kept and written
    /// later.
    /// </exception>
    public async Task SaveAsync(LastSeen seen)
    {
        var startedAt = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            Keep(seen, startedAt + Ticks(s_retryDelay));
            if (_isUnavailable) throw Unsaved("did not answer the last statement");
        }

        var answer = _writer.AddAsync(seen);
        try
        {
            if (!await answer.WaitAsync(s_callerTimeout)) throw Unsaved("has the row locked for another session");
        }
        catch (TimeoutException)
        {
            _ = answer.ContinueWith(static late => _ = late.Exception, TaskScheduler.Default); // Observed: this caller stops waiting.
            Suspect(startedAt);
            throw Unsaved($"did not answer within {s_callerTimeout.TotalSeconds:0.#} s");
        }
        catch (Exception e) when (e is not StoreUnavailableException)
        {
            throw Unsaved("refuses the row");
        }
    }

    /// <summary>Queues values without a waiting caller.</summary>
    public void Queue(IReadOnlyCollection<LastSeen> seen)
    {
        if (seen.Count == 0) return;
        lock (_gate)
        {
            var now = Stopwatch.GetTimestamp();
            foreach (var value in seen) Keep(value, now);
            Wake();
        }
    }

    /// <summary>
    /// Writes all kept values in one last attempt. The shutdown proceeds even if the database is unavailable, and lost values are logged.
    /// </summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await WriteKeptAsync(all: true);
        if (_kept.Count > 0) LogLost(_kept.Count);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _work.WaitAsync(s_retryDelay, stoppingToken);
                await WriteKeptAsync(all: false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
    }

    /// <summary>
    /// Writes the values that are due for a retry. While the database is unavailable, one batch tests whether it is available again.
    /// </summary>
    private async Task WriteKeptAsync(bool all)
    {
        foreach (var batch in TakeDue(all).Chunk(BatchSize))
        {
            var written = Task.WhenAll(batch.Select(RetryAsync));
            try
            {
                // A blocked row does not delay the next batch.
                await (all ? written : written.WaitAsync(s_callerTimeout));
            }
            catch (TimeoutException)
            {
                // RetryAsync handles each value.
            }

            if (_isUnavailable) return;
        }
    }

    private List<LastSeen> TakeDue(bool all)
    {
        lock (_gate)
        {
            var now = Stopwatch.GetTimestamp();
            var due = new List<LastSeen>();
            foreach (var (userId, kept) in _kept)
            {
                if (!all && kept.RetryAt > now) continue;
                kept.RetryAt = now + Ticks(s_commitTimeout + s_retryDelay); // Not a second time while it is under way.
                due.Add(new(userId, kept.At));
            }

            return due;
        }
    }

    private async Task RetryAsync(LastSeen seen)
    {
        try
        {
            if (!await _writer.AddAsync(seen)) Postpone(seen);
        }
        catch (StoreUnavailableException)
        {
            // Either the database is unavailable, which the commit has recorded, or only this row is blocked.
            if (_isUnavailable) RetryAtOnce(seen);
            else Postpone(seen);
        }
        catch (Exception e)
        {
            if (Postpone(seen) == 1) LogRefused(e);
        }
    }

    /// <summary>Called by the writer on the thread pool.</summary>
    private async Task<bool[]> CommitAsync(LastSeen[] batch, BatchLimits limits)
    {
        try
        {
            var skipped = await _store.SaveLastSeenAsync(batch, limits);
            lock (_gate)
            {
                foreach (var (userId, at) in batch)
                {
                    if (!skipped.Contains(userId) && _kept.TryGetValue(userId, out var kept) && kept.At <= at) _kept.Remove(userId);
                }

            }

            MarkAvailable();

            return Array.ConvertAll(batch, seen => !skipped.Contains(seen.UserId));
        }
        catch (StoreUnavailableException)
        {
            MarkUnavailable();
            throw;
        }
        catch (Exception)
        {
            MarkAvailable(); // One of the rows is blocked or refused, which is an answer.
            throw;
        }
    }

    /// <summary>Marks the database as unavailable unless it has answered any caller since the given time.</summary>
    private void Suspect(long startedAt)
    {
        bool hasAnswered;
        lock (_gate) hasAnswered = _answeredAt > startedAt;
        if (!hasAnswered) MarkUnavailable();
    }

    private void MarkAvailable()
    {
        lock (_gate)
        {
            _answeredAt = Stopwatch.GetTimestamp();
            if (!_isUnavailable) return;
            _isUnavailable = false;
            LogBack(_kept.Count);
            Wake();
        }
    }

    private void MarkUnavailable()
    {
        lock (_gate)
        {
            if (_isUnavailable) return; // One line in the log for each time, not for every attempt.
            _isUnavailable = true;
            LogKept(_kept.Count);
        }
    }

    private void Keep(LastSeen seen, long retryAt)
    {
        if (!_kept.TryGetValue(seen.UserId, out var kept)) _kept.Add(seen.UserId, new() { At = seen.At, RetryAt = retryAt });
        else if (kept.At < seen.At) kept.At = seen.At;
    }

    /// <returns>The number of times that this row has been postponed.</returns>
    private int Postpone(LastSeen seen)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(seen.UserId, out var kept)) return 0;
            var delay = s_retryDelay * Math.Pow(2, Math.Min(kept.Failures++, 16));
            kept.RetryAt = Stopwatch.GetTimestamp() + Ticks(delay < s_maxRetryDelay ? delay : s_maxRetryDelay);
            return kept.Failures;
        }
    }

    private void RetryAtOnce(LastSeen seen)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(seen.UserId, out var kept)) kept.RetryAt = Stopwatch.GetTimestamp();
        }
    }

    private void Wake()
    {
        if (_work.CurrentCount == 0) _work.Release();
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private static StoreUnavailableException Unsaved(string why) => new($"lastSeen is kept and written later: the database {why}.");

    private sealed class KeptValue
    {
        public DateTimeOffset At { get; set; }

        public long RetryAt { get; set; }

        public int Failures { get; set; }
    }

    [LoggerMessage(1200, LogLevel.Warning, "The database is unavailable: lastSeen of {Count} users is kept and will be written when the database is available again.")]
    private partial void LogKept(int count);

    [LoggerMessage(1201, LogLevel.Error, "The database refuses a user's lastSeen. The value is kept and retried with a growing delay.")]
    private partial void LogRefused(Exception exception);

    [LoggerMessage(1202, LogLevel.Error, "Stopping without the database: lastSeen of {Count} users is lost.")]
    private partial void LogLost(int count);

    [LoggerMessage(1203, LogLevel.Information, "The database is available again: lastSeen of {Count} users will be written now.")]
    private partial void LogBack(int count);
}
