namespace Pulse.Web.Tests.TwoNodes;

/// <summary>The spread of some measured times.</summary>
internal sealed class Percentiles(IEnumerable<TimeSpan> times)
{
    private readonly TimeSpan[] _sorted = [.. times.Order()];

    /// <summary>The time that this percentage of the measurements did not exceed.</summary>
    public TimeSpan At(double percent) => _sorted[(int)Math.Ceiling(_sorted.Length * percent / 100) - 1];

    public override string ToString() =>
        $"p50 {At(50).TotalMilliseconds:F0} ms, p99 {At(99).TotalMilliseconds:F0} ms, longest {At(100).TotalMilliseconds:F0} ms of {_sorted.Length}";
}
