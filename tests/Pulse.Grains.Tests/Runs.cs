namespace Pulse.Grains.Tests;

/// <summary>Scenarios with a bound of time.</summary>
internal static class Runs
{
    private const int Most = 3;

    /// <summary>Runs the scenario until it passes, three times at most: a busy machine may spoil one run, a fault of Pulse spoils each.</summary>
    public static async Task OneOfThreePassesAsync(Func<Task> scenario)
    {
        for (var run = 1; ; run++)
        {
            try
            {
                await scenario();
                return;
            }
            catch (Exception e) when (run < Most)
            {
                Console.WriteLine($"Run {run} of {Most} failed: {e.Message}");
            }
        }
    }
}
