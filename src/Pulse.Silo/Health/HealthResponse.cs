using System.Text.Json.Serialization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Pulse.Silo.Health;

/// <summary>Answer of a health route.</summary>
/// <param name="Status"><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>: the worst of the parts.</param>
/// <param name="Parts">Each part by name. Empty for requests that get no details.</param>
internal sealed record HealthResponse(string Status, IReadOnlyDictionary<string, HealthPart> Parts)
{
    /// <summary>The answer for the report.</summary>
    public static HealthResponse From(HealthReport report, bool withDetails) => new(
        WireName(report.Status),
        withDetails ? report.Entries.ToDictionary(entry => entry.Key, entry => ToPart(entry.Value), StringComparer.Ordinal) : []);

    // A driver's exception may quote a connection string, so only texts that a check has written are passed on.
    private static HealthPart ToPart(HealthReportEntry entry) => new(
        WireName(entry.Status),
        entry.Exception is null or StoreUnavailableException ? entry.Description : "The check failed. The log has the reason.");

    private static string WireName(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => "healthy",
        HealthStatus.Degraded => "degraded",
        _ => "unhealthy",
    };
}

/// <summary>One part's health.</summary>
/// <param name="Status">As <see cref="HealthResponse.Status"/>.</param>
/// <param name="Reason">The reason for a status other than healthy. Otherwise absent.</param>
internal sealed record HealthPart(
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason);
