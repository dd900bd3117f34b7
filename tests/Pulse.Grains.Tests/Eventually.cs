using System.Diagnostics;
using Xunit.Sdk;

namespace Pulse.Grains.Tests;

/// <summary>Waits for a condition, with a bound that a busy machine does not reach.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    public static async Task AsyncEqual<T>(T expected, Func<Task<T>> read)
    {
        var clock = Stopwatch.StartNew();
        T actual;
        do
        {
            actual = await read();
            if (EqualityComparer<T>.Default.Equals(expected, actual)) return;
            await Task.Delay(s_pause);
        }
        while (clock.Elapsed < s_bound);

        throw new XunitException($"Expected {expected} within {s_bound.TotalSeconds} s; it is still {actual}.");
    }
}
