using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>The clock of all silos and front ends. It runs, and a test can set it forward: what is due in between happens at once.</summary>
internal sealed class RunningClock : FakeTimeProvider
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public RunningClock()
        : base(System.GetUtcNow()) => _running = Task.Run(RunAsync);

    /// <summary>Sets the clock forward.</summary>
    public void Jump(TimeSpan by)
    {
        try
        {
            Advance(by);
        }
        catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException)
        {
            // A timer of a killed silo, whose parts are disposed.
        }
    }

    /// <summary>Ends the clock. It is no disposable, because the container of a killed silo would dispose of it.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var last = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(s_tick);
        while (!_stop.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync();
            var now = Stopwatch.GetTimestamp();
            Jump(Stopwatch.GetElapsedTime(last, now));
            last = now;
        }
    }
}
