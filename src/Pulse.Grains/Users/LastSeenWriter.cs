using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Pulse.Grains.Users;

/// <summary>Commits the lastSeen of many users in one statement, and keeps what the database could not take.</summary>
/// <remarks>
/// While one batch commits, the next gathers: the busier the silo, the larger the batch, without a timer. Waits for its own queue at shutdown,
/// so it is registered before the silo and stops after it. Holds at most one entry per user.
/// </remarks>
internal sealed partial class LastSeenWriter(IUserStore store, TimeProvider time, ILogger<LastSeenWriter> logger) : BackgroundService
{
    // One statement of this size takes some ten milliseconds: long ones would hold row locks for too long.
    private const int BatchSize = 2_000;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _work = new(0, 1);
    private readonly Lock _gate = new();
    private Dictionary<Guid, DateTimeOffset> _gathering = [];
    private TaskCompletionSource _committed = NewBatch();
    private bool _isAway;

    /// <summary>Queues the value; the later of two for one user stays.</summary>
    /// <returns>Completes once it is committed.</returns>
    /// <exception cref="StoreUnavailableException">The database is away. The value stays queued and is written when it is back.</exception>
    public Task SaveAsync(LastSeen seen)
    {
        lock (_gate)
        {
            Gather(seen.UserId, seen.At);
            if (_work.CurrentCount == 0) _work.Release();
            return _committed.Task;
        }
    }

    /// <summary>Queues values that nobody waits for.</summary>
    public void Queue(IReadOnlyCollection<LastSeen> seen)
    {
        if (seen.Count == 0) return;
        lock (_gate)
        {
            foreach (var (userId, at) in seen) Gather(userId, at);
            if (_work.CurrentCount == 0) _work.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A database that is away must not keep the process from stopping: one last try, then the log says what is lost.
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _work.WaitAsync(stoppingToken);
                if (!await CommitAsync()) await Task.Delay(RetryDelay, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        if (!await CommitAsync()) LogLost(_gathering.Count);
    }

    private async Task<bool> CommitAsync()
    {
        Dictionary<Guid, DateTimeOffset> batch;
        TaskCompletionSource committed;
        lock (_gate)
        {
            (batch, _gathering) = (_gathering, []);
            (committed, _committed) = (_committed, NewBatch());
        }

        if (batch.Count == 0) return true;
        try
        {
            foreach (var chunk in batch.Select(entry => new LastSeen(entry.Key, entry.Value)).Chunk(BatchSize))
            {
                await store.SaveLastSeenAsync(chunk);
            }

            committed.SetResult();
            if (_isAway)
            {
                _isAway = false;
                LogBack(batch.Count);
            }

            return true;
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                foreach (var (userId, at) in batch) Gather(userId, at);
                if (_work.CurrentCount == 0) _work.Release();
            }

            if (e is not StoreUnavailableException)
            {
                LogFailed(e);
            }
            else if (!_isAway)
            {
                // Once for each time that it is away, not for every try.
                _isAway = true;
                LogKept(batch.Count);
            }

            committed.SetException(e);
            _ = committed.Task.Exception; // Observed: a caller may have stopped waiting.
            return false;
        }
    }

    private void Gather(Guid userId, DateTimeOffset at)
    {
        if (!_gathering.TryGetValue(userId, out var queued) || queued < at) _gathering[userId] = at;
    }

    // Continuations run elsewhere: the writer's loop goes on with the next batch at once.
    private static TaskCompletionSource NewBatch() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(1200, LogLevel.Warning, "The database is away: lastSeen of {Count} users is kept and will be written when it is back.")]
    private partial void LogKept(int count);

    [LoggerMessage(1201, LogLevel.Error, "Writing lastSeen failed unexpectedly; it is tried again.")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(1202, LogLevel.Error, "Stopping without the database: lastSeen of {Count} users is lost.")]
    private partial void LogLost(int count);

    [LoggerMessage(1203, LogLevel.Information, "The database is back: lastSeen of {Count} users is written.")]
    private partial void LogBack(int count);
}
