using System.Diagnostics;

namespace Pulse.Grains.Storage;

/// <summary>
/// Remembers that a database does not answer, so that not every reader waits to find it out; and asks it, until it does. Without this, a grain that reads
/// whenever somebody looks at its user would spend its turns waiting, and the user's renewals would come too late.
/// </summary>
/// <remarks>
/// Polly's circuit breaker tries again with a caller's own call. With reads that repeat, that is most often the grain that is looked at most, which
/// would go on losing most of its time; here nobody's call is the trial. Begins with one failure, since a second would keep another grain waiting.
/// </remarks>
internal sealed class Silence(Func<CancellationToken, Task> ping) : IDisposable
{
    private static readonly TimeSpan AskInterval = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _stop = new();
    private long _answeredAt;
    private object? _current;

    /// <summary>Nothing has been answered since somebody waited in vain.</summary>
    public bool IsKept => Volatile.Read(ref _current) is not null;

    /// <summary>A call that began then (<see cref="Stopwatch.GetTimestamp"/>) was not answered. What others began after it may have been.</summary>
    public void Begin(long startedAt)
    {
        var silence = new object();
        if (startedAt > Volatile.Read(ref _answeredAt) && Interlocked.CompareExchange(ref _current, silence, null) is null) _ = AskAsync(silence);
    }

    /// <summary>Something was answered.</summary>
    public void End()
    {
        Volatile.Write(ref _answeredAt, Stopwatch.GetTimestamp());
        Volatile.Write(ref _current, null);
    }

    public void Dispose() => _stop.Cancel();

    private async Task AskAsync(object silence)
    {
        while (!_stop.IsCancellationRequested && Volatile.Read(ref _current) == silence)
        {
            try
            {
                await Task.Delay(AskInterval, _stop.Token);
                await ping(_stop.Token);
                End();
            }
            catch (Exception)
            {
                // Still silent, or the process stops.
            }
        }
    }
}
