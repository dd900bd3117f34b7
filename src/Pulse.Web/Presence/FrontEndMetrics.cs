using System.Diagnostics.Metrics;

namespace Pulse.Web.Presence;

/// <summary>What this front end measures of itself; by the first, front ends are scaled.</summary>
internal sealed class FrontEndMetrics
{
    public FrontEndMetrics(IMeterFactory meters, FrontEnd frontEnd) => meters.Create("Pulse.Web").CreateObservableGauge(
        "pulse.connections", () => frontEnd.Count, unit: "{connection}", description: "Live sockets of this front end.");
}
