using System.Diagnostics;
using Xunit.Sdk;

namespace Pulse.Grains.Tests;

/// <summary>
/// Waits for a condition, with a bound above the times of a busy machine. An exception of a read, such as that of a store that timed out,
/// counts as "not yet".
/// </summary>
internal static class Eventually
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    public static async Task AsyncEqual<T>(T expected, Func<Task<T>> read)
    {
        var clock = Stopwatch.StartNew();
        Exception? failure;
        object? actual;
        do
        {
            (actual, failure) = (null, null);
            try
            {
                var answer = await read();
                if (EqualityComparer<T>.Default.Equals(expected, answer)) return;
                actual = answer;
            }
            catch (Exception e) when (e is not XunitException)
            {
                failure = e;
            }

            await Task.Delay(s_pause);
        }
        while (clock.Elapsed < s_bound);

        var last = failure is null ? $"it is still {actual}" : $"the last read failed with {failure.GetType().Name}: {failure.Message}";
        throw new XunitException($"Expected {expected} within {s_bound.TotalSeconds} s; {last}.", failure);
    }
}
