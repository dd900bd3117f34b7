namespace Pulse.Silo.Clock;

/// <summary>The system's clock, of which UTC never goes back.</summary>
/// <remarks>
/// Deadlines of Pulse and of Orleans are UTC times. After a wall clock that is set back they would all be late by that much, and Orleans refuses to activate
/// grains. This clock then goes on from where it was, by the monotonic clock, a tenth slower, until the wall clock has caught up: intervals stay right within a
/// tenth, and times that are stored or shown become right by themselves. A wall clock that is set forward is followed at once;
/// the silo takes that for a pause.
/// </remarks>
/// <param name="wall">The clock that may be set.</param>
public sealed class SteadyClock(TimeProvider wall) : TimeProvider
{
    private const double CatchUpRate = 0.9;

    private readonly Lock _lock = new();
    private DateTimeOffset _lastUtc = wall.GetUtcNow();
    private long _lastTimestamp = wall.GetTimestamp();

    /// <summary>How far this clock is ahead of the wall clock; zero as long as the wall clock was never set back.</summary>
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
