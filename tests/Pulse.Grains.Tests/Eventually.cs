using System.Diagnostics;
using Xunit.Sdk;

namespace Pulse.Grains.Tests;

/// <summary>Waits for a condition, with a bound that a busy machine does not reach.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static async Task AsyncEqual<T>(T expected, Func<Task<T>> read)
    {
        var clock = Stopwatch.StartNew();
        T actual;
        do
        {
            actual = await read();
            if (EqualityComparer<T>.Default.Equals(expected, actual)) return;
            await Task.Delay(Pause);
        }
        while (clock.Elapsed < Bound);

        throw new XunitException($"Expected {expected} within {Bound.TotalSeconds} s; it is still {actual}.");
    }
}
