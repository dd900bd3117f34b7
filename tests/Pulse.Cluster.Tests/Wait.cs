using System.Diagnostics;
using Xunit.Sdk;

namespace Pulse.Cluster.Tests;

internal static class Wait
{
    /// <summary>Asks until the answer, which describes what is missing, is empty.</summary>
    /// <returns>How long that took.</returns>
    public static async Task<TimeSpan> UntilAsync(string expected, Func<Task<string>> missing, TimeSpan within)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            string last;
            try
            {
                last = await missing();
            }
            catch (Exception e)
            {
                last = $"{e.GetType().Name}: {e.Message}";
            }

            if (last.Length == 0) return clock.Elapsed;
            if (clock.Elapsed > within) throw new XunitException($"Expected {expected} within {within.TotalSeconds} s; last was: {last}");
            await Task.Delay(250);
        }
    }
}
