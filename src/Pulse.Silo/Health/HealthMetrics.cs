using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Pulse.Silo.Health;

/// <summary>A gauge of each part that decides <c>/health/ready</c>. The framework runs the checks every 30 s.</summary>
/// <remarks>
/// A degraded part leaves <c>/health/ready</c> at 200, and balancers ask only front ends. If the gauge were missing, only the log would show
/// an unavailable Redis.
/// </remarks>
internal sealed class HealthMetrics : IHealthCheckPublisher
{
    private volatile HealthReport? _latest;

    public HealthMetrics(IMeterFactory meters) => meters.Create("Pulse.Health").CreateObservableGauge(
        "pulse.health", Measure, "{status}", "Health of a part of this process: 2 healthy, 1 degraded, 0 unhealthy.");

    public Task PublishAsync(HealthReport report, CancellationToken cancellationToken)
    {
        _latest = report;
        return Task.CompletedTask;
    }

    // The numbers of HealthStatus.
    private IEnumerable<Measurement<int>> Measure() =>
        from part in _latest?.Entries ?? new Dictionary<string, HealthReportEntry>()
        where part.Value.Tags.Contains(HealthEndpoints.ReadyTag)
        select new Measurement<int>((int)part.Value.Status, new KeyValuePair<string, object?>("pulse.health.part", part.Key));
}
