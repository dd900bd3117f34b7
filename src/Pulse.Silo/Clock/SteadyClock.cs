namespace Pulse.Silo.Clock;

/// <summary>The system's clock with a monotonic UTC time.</summary>
/// <remarks>
/// Deadlines of Pulse and of Orleans are UTC times. After a wall clock is set back, they would all be late by the difference, and Orleans
/// refuses to activate grains. This clock then continues from its last time, by the monotonic clock, a tenth slower, until the wall clock
/// has caught up. Intervals stay right within a tenth, and times that are stored or shown correct themselves. A wall clock that is set
/// forward is followed at once. The silo treats that as a pause.
/// </remarks>
/// <param name="wall">The clock that may be set.</param>
public sealed class SteadyClock(TimeProvider wall) : TimeProvider
{
    private const double CatchUpRate = 0.9;

    private readonly Lock _lock = new();
    private DateTimeOffset _lastUtc = wall.GetUtcNow();
    private long _lastTimestamp = wall.GetTimestamp();

    /// <summary>This clock's lead over the wall clock. Zero as long as the wall clock was never set back.</summary>
    public TimeSpan Lead => GetUtcNow() - wall.GetUtcNow() is var lead && lead > TimeSpan.Zero ? lead : TimeSpan.Zero;

    /// <inheritdoc/>
    public override long TimestampFrequency => wall.TimestampFrequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => wall.LocalTimeZone;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            var utc = wall.GetUtcNow();
            var timestamp = wall.GetTimestamp();
            var steady = _lastUtc + (wall.GetElapsedTime(_lastTimestamp, timestamp) * CatchUpRate);
            (_lastUtc, _lastTimestamp) = (utc > steady ? utc : steady, timestamp);
            return _lastUtc;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => wall.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        wall.CreateTimer(callback, state, dueTime, period);
}
