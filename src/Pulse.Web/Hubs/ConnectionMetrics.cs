using System.Diagnostics.Metrics;
using Pulse.Web.Connections;
using Pulse.Web.Presence;

namespace Pulse.Web.Hubs;

/// <summary>Gauges of this front end. Front ends are scaled by the first one.</summary>
internal sealed class ConnectionMetrics
{
    public ConnectionMetrics(IMeterFactory meters, ConnectionRegistry registry, PresenceWatches watches)
    {
        var meter = meters.Create("Pulse.Web");
        meter.CreateObservableGauge("pulse.connections", () => registry.Count, unit: "{connection}", description: "Live sockets of this front end.");
        meter.CreateObservableGauge("pulse.watched_users", () => watches.Count, unit: "{user}", description: "Distinct users that sockets of this front end watch.");
    }
}
