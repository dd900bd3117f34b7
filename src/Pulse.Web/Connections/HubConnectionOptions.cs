using System.ComponentModel.DataAnnotations;
using Pulse.Presence;

namespace Pulse.Web.Connections;

/// <summary>
/// The front end's part of <c>Pulse:Presence</c>. Clients get the heartbeat interval in <see cref="ConnectedMessage"/>.
/// </summary>
internal sealed class HubConnectionOptions : SharedPresenceOptions
{
    public const string SectionName = "Pulse:Presence";

    /// <summary>
    /// Sockets that this front end accepts per second, and in a burst. Further clients wait for up to 5 s and are then refused. Default
    /// 2,000.
    /// </summary>
    [Range(1, 100_000)]
    public int ConnectsPerSecond { get; set; } = 2_000;

    /// <summary>Sockets that one user may open per second on this front end in the long run. Further ones get 429. Default 5.</summary>
    [Range(1, 100_000)]
    public int ConnectsPerSecondPerUser { get; set; } = 5;

    /// <summary>Sockets that one user may open in a burst on this front end after a pause. Default 20.</summary>
    [Range(1, 100_000)]
    public int ConnectsAtOncePerUser { get; set; } = 20;

    /// <summary>See <see cref="LeaseTimes.RenewalInterval"/>.</summary>
    public TimeSpan LeaseRenewalInterval => LeaseTimes.RenewalInterval(TimeToLive);

    /// <summary>See <see cref="LeaseTimes.WatchRenewalInterval"/>.</summary>
    public TimeSpan WatchRenewalInterval => LeaseTimes.WatchRenewalInterval(TimeToLive);

    /// <summary>Interval at which the front end reads the list of silos.</summary>
    public TimeSpan SiloListInterval => TimeToLive / 30;
}
