using Microsoft.Extensions.DependencyInjection;
using Pulse.Silo.Clock;
using Xunit;

namespace Pulse.Grains.Tests.Clock;

public sealed class SteadyClockTests
{
    private readonly ManualClock _wall = new();
    private readonly SteadyClock _clock;

    public SteadyClockTests() => _clock = new(_wall);

    [Fact]
    public void WallClockAdvances_IsFollowed()
    {
        _wall.Pass(TimeSpan.FromMinutes(5));

        Assert.Equal(_wall.GetUtcNow(), _clock.GetUtcNow());
        Assert.Equal(TimeSpan.Zero, _clock.Lead);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(90)]
    [InlineData(3_600)]
    public void WallClockSetBack_UtcAdvancesATenthSlower_UntilBothAgree(int seconds)
    {
        var before = _clock.GetUtcNow();
        _wall.Step(TimeSpan.FromSeconds(-seconds));

        Assert.Equal(before, _clock.GetUtcNow());
        _wall.Pass(TimeSpan.FromSeconds(5 * seconds));
        Assert.Equal(before.AddSeconds(4.5 * seconds), _clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromSeconds(0.5 * seconds), _clock.Lead);
        _wall.Pass(TimeSpan.FromSeconds(6 * seconds));
        Assert.Equal(_wall.GetUtcNow(), _clock.GetUtcNow());
    }

    [Fact]
    public void WallClockSetForward_IsFollowedAtOnce()
    {
        _wall.Step(TimeSpan.FromHours(1));

        Assert.Equal(_wall.GetUtcNow(), _clock.GetUtcNow());
    }

    [Fact]
    public void ManyReads_AfterAStepBack_LoseNoTime()
    {
        var before = _clock.GetUtcNow();
        _wall.Step(TimeSpan.FromHours(-1));

        for (var i = 0; i < 1_000_000; i++)
        {
            _wall.Pass(TimeSpan.FromMicroseconds(1));
            _ = _clock.GetUtcNow();
        }

        Assert.Equal(0.9, (_clock.GetUtcNow() - before).TotalSeconds, 3);
    }

    [Fact]
    public void AddSteadyClock_AfterTheFirstTime_KeepsBothClocks()
    {
        using var services = new ServiceCollection().AddLogging().AddSteadyClock().AddSteadyClock().BuildServiceProvider();

        Assert.IsType<SteadyClock>(services.GetRequiredService<TimeProvider>());
        Assert.Same(TimeProvider.System, services.GetRequiredKeyedService<TimeProvider>(ClockSetup.WallClock));
    }

    private sealed class ManualClock : TimeProvider
    {
        private DateTimeOffset _utc = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        private TimeSpan _elapsed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => _utc;

        public override long GetTimestamp() => _elapsed.Ticks;

        public void Step(TimeSpan by) => _utc += by;

        public void Pass(TimeSpan time) => (_utc, _elapsed) = (_utc + time, _elapsed + time);
    }
}
