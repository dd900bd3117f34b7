using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Pulse.Web.Home;

/// <summary>The content of <c>/health/ready</c> for people.</summary>
/// <param name="Ready">Whether this process accepts traffic.</param>
/// <param name="Parts">Its parts, by name.</param>
public sealed record HealthView(bool Ready, IReadOnlyList<HealthView.Part> Parts)
{
    /// <summary>Reads a report.</summary>
    public static HealthView From(HealthReport report) => new(
        report.Status != HealthStatus.Unhealthy,
        [.. report.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => ToPart(entry.Key, entry.Value))]);

    // As on the health route: an exception may quote a connection string, so only texts that a check has written are shown.
    private static Part ToPart(string name, HealthReportEntry entry)
    {
        var status = entry.Status.ToString().ToLowerInvariant();
        var state = entry.Status switch { HealthStatus.Healthy => "good", HealthStatus.Degraded => "fair", _ => "bad" };
        return new(name, state, entry is { Exception: null, Description: { } reason } ? $"{status}: {reason}" : status);
    }

    /// <summary>One part.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="State"><c>good</c>, <c>fair</c> or <c>bad</c>, for its colour.</param>
    /// <param name="Words">Its status and, unless healthy, the reason.</param>
    public sealed record Part(string Name, string State, string Words);
}
