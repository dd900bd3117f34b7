using System.ComponentModel.DataAnnotations;
using Pulse.Presence;

namespace Pulse.Web.Connections;

/// <summary>What a front end needs of <c>Pulse:Presence</c>; the silo validates the same section.</summary>
internal sealed class HeartbeatOptions
{
    public const string SectionName = "Pulse:Presence";

    /// <summary>Lifetime of a presence key.</summary>
    public TimeSpan TimeToLive { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often clients are asked to beat, told to them in <see cref="ConnectedMessage"/>.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many sockets this front end takes on per second, and at once; more wait for up to 5 s, and are then sent away.</summary>
    [Range(1, 100_000)]
    public int ConnectsPerSecond { get; set; } = 2_000;

    /// <summary>How many sockets one user may open per second on this front end in the long run; more get 429.</summary>
    [Range(1, 100_000)]
    public int ConnectsPerSecondPerUser { get; set; } = 5;

    /// <summary>How many sockets one user may open at once on this front end after a pause.</summary>
    [Range(1, 100_000)]
    public int ConnectsAtOncePerUser { get; set; } = 20;

    /// <summary>See <see cref="LeaseTimes.RenewalInterval"/>.</summary>
    public TimeSpan LeaseRenewalInterval => LeaseTimes.RenewalInterval(TimeToLive);

    /// <summary>See <see cref="LeaseTimes.WatchRenewalInterval"/>.</summary>
    public TimeSpan WatchRenewalInterval => LeaseTimes.WatchRenewalInterval(TimeToLive);

    /// <summary>How often the front end asks which silos there are.</summary>
    public TimeSpan SiloListInterval => TimeToLive / 30;
}
