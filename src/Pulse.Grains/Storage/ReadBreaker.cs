using System.Diagnostics;

namespace Pulse.Grains.Storage;

/// <summary>
/// Circuit breaker for reads: remembers that a database does not answer, and pings it until it does. Without the breaker, a grain that
/// reads for each request about its user would spend its turns waiting, and the user's renewals would come too late.
/// </summary>
/// <remarks>
/// Polly's circuit breaker uses a caller's own call as the trial. With repeated reads this is most often the most requested grain, which
/// would keep losing most of its time. Here a ping is the trial. One failure opens the breaker, because a second would block another grain.
/// </remarks>
internal sealed class ReadBreaker(Func<CancellationToken, Task> ping) : IDisposable
{
    private static readonly TimeSpan s_probeInterval = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _stop = new();
    private long _answeredAt;
    private object? _current;

    /// <summary>Whether the breaker is open: a caller has waited in vain, and no statement was answered since.</summary>
    public bool IsOpen => Volatile.Read(ref _current) is not null;

    /// <summary>
    /// Opens the breaker for an unanswered call that began at the given <see cref="Stopwatch.GetTimestamp"/>, unless a later answer is
    /// known.
    /// </summary>
    public void Trip(long startedAt)
    {
        var outage = new object();
        if (startedAt > Volatile.Read(ref _answeredAt) && Interlocked.CompareExchange(ref _current, outage, null) is null) _ = ProbeAsync(outage);
    }

    /// <summary>Closes the breaker, because a statement was answered.</summary>
    public void Reset()
    {
        Volatile.Write(ref _answeredAt, Stopwatch.GetTimestamp());
        Volatile.Write(ref _current, null);
    }

    public void Dispose() => _stop.Cancel();

    private async Task ProbeAsync(object outage)
    {
        while (!_stop.IsCancellationRequested && Volatile.Read(ref _current) == outage)
        {
            try
            {
                await Task.Delay(s_probeInterval, _stop.Token);
                await ping(_stop.Token);
                Reset();
            }
            catch (Exception)
            {
                // Still unresponsive, or the process stops.
            }
        }
    }
}
