using System.Diagnostics;

namespace Pulse.Web.Tests;

/// <summary>Waits for a condition, with a bound that a busy machine does not reach.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    public static async Task AsyncTrue(string what, Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < s_bound, $"Not within {s_bound.TotalSeconds} s: {what}.");
            await Task.Delay(s_pause);
        }
    }
}
