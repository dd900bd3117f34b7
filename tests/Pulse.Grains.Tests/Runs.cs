namespace Pulse.Grains.Tests;

/// <summary>Scenarios with a time limit.</summary>
internal static class Runs
{
    private const int Most = 3;

    /// <summary>Runs the scenario until it passes, three times at most, because a busy machine may spoil one run. A fault of Pulse spoils each run.</summary>
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
