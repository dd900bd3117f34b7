using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;

namespace Pulse.Grains.Presence;

/// <summary>A silo's measurements of wrong and nearly wrong presence states and their causes. Their tags are free of user ids.</summary>
internal sealed class PresenceMetrics
{
    private readonly Counter<long> _flaps;
    private readonly Counter<long> _gracePeriodsUsed;
    private readonly Counter<long> _lateRenewals;
    private readonly Counter<long> _leasesExpired;

    public PresenceMetrics(IMeterFactory meters, PresenceKeys keys, IOptions<PresenceOptions> options)
    {
        var meter = meters.Create("Pulse.Presence");
        _flaps = meter.CreateCounter<long>("pulse.presence.flaps", "{user}", "Users who went offline and came online again within a minute.");
        _gracePeriodsUsed = meter.CreateCounter<long>(
            "pulse.presence.grace_periods_used", "{connection}", "Dropped connections whose client was back within the grace period.");
        _lateRenewals = meter.CreateCounter<long>(
            "pulse.presence.late_renewals", "{lease}", "Leases that were renewed more than one and a half renewal intervals after the time before.");
        _leasesExpired = meter.CreateCounter<long>("pulse.presence.leases_expired", "{lease}", "Leases that no front end renewed in time.");
        meter.CreateObservableGauge("pulse.presence.online", () => keys.Count, "{user}", "Users that are online by this silo's grains.");

        // A lease that has just expired waits for the next round, which comes after a sixtieth of the TTL.
        var overdue = options.Value.SweepInterval * 5;
        meter.CreateObservableGauge(
            "pulse.presence.ghosts", () => keys.CountGhosts(overdue), "{user}", "Users with a presence key whose last lease expired some seconds ago.");
    }

    public void Flap() => _flaps.Add(1);

    public void GracePeriodsUsed(int count)
    {
        if (count > 0) _gracePeriodsUsed.Add(count);
    }

    public void LateRenewal() => _lateRenewals.Add(1);

    public void LeasesExpired(int count)
    {
        if (count > 0) _leasesExpired.Add(count);
    }
}
