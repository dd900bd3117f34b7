namespace Pulse.Grains.Tests.Clock;

/// <summary>A wall clock that a test can set, over a monotonic clock that continues unchanged.</summary>
internal sealed class SettableClock : TimeProvider
{
    private long _offsetTicks;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _offsetTicks));

    public void Step(TimeSpan by) => Interlocked.Add(ref _offsetTicks, by.Ticks);
}
