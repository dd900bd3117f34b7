using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Pulse.Silo.Startup;

namespace Pulse.Web.Tests.Startup;

/// <summary>How often a start logs the store that it waits for, and when it gives up.</summary>
public sealed class StartWaitTests
{
    private readonly Clock _time = new();
    private readonly Lines _log = new();

    [Fact]
    public async Task SilentStore_IsLoggedEveryThreeSeconds()
    {
        var answer = new TaskCompletionSource<string?>();
        var wait = NewWait().UntilAsync("Redis", "ConnectionStrings:Redis", _ => answer.Task, CancellationToken.None);

        for (var told = 1; told <= 3; told++)
        {
            await Eventually.AsyncTrue("the next line has its time", () => Task.FromResult(_time.CountOf(TimeSpan.FromSeconds(3)) >= told));
            _time.Advance(TimeSpan.FromSeconds(3));
            await Eventually.AsyncTrue($"told {told} times", () => Task.FromResult(_log.Count >= told));
        }

        answer.SetResult(null);
        await wait.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.All(_log.All, line => Assert.Equal("Waiting for Redis (ConnectionStrings:Redis): it does not answer.", line));
    }

    [Fact(Timeout = 60_000)]
    public async Task StoreThatRefuses_IsToldAtOnce_AgainWhenTheReasonChanges_AndEndsTheStartAfterAMinute()
    {
        var tries = 0;
        var wait = NewWait().UntilAsync("Redis", "ConnectionStrings:Redis", _ => Task.FromResult<string?>(tries++ == 0 ? "LOADING" : "NOAUTH"), CancellationToken.None);
        Assert.Equal(1, _log.Count);

        for (var seconds = 1; !wait.IsCompleted; seconds++)
        {
            Assert.True(seconds < 1_000, "The start does not end.");
            while (_time.CountOf(TimeSpan.FromSeconds(1)) < seconds && !wait.IsCompleted) await Task.Yield();
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        var fault = await Assert.ThrowsAsync<StartException>(() => wait);
        Assert.Equal("ConnectionStrings:Redis: Redis was not there for 60 s: NOAUTH.", Assert.Single(fault.Lines));
        Assert.Equal(["Waiting for Redis (ConnectionStrings:Redis): LOADING.", "Waiting for Redis (ConnectionStrings:Redis): NOAUTH."], _log.All.Take(2));
        Assert.InRange(_log.Count, 15, 25);
    }

    private StartWait NewWait() => new(_time, _log);

    /// <summary>Counts timers, so that a test goes on once the code under test waits.</summary>
    private sealed class Clock : FakeTimeProvider
    {
        private readonly ConcurrentQueue<TimeSpan> _timers = new();

        public int CountOf(TimeSpan dueTime) => _timers.Count(timer => timer == dueTime);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            _timers.Enqueue(dueTime);
            return timer;
        }
    }

    private sealed class Lines : ILogger<StartWait>
    {
        private readonly List<string> _lines = [];

        public int Count
        {
            get
            {
                lock (_lines) return _lines.Count;
            }
        }

        public IReadOnlyList<string> All
        {
            get
            {
                lock (_lines) return [.. _lines];
            }
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines) _lines.Add(formatter(state, exception));
        }
    }
}
