namespace Pulse.Presence;

/// <summary>How a lease's times follow from the lifetime of the user's key. Front ends and silos must agree on them.</summary>
public static class LeaseTimes
{
    /// <summary>How long a lease lives without renewal: less than the key, so that a silent front end's users are offline before their keys lapse.</summary>
    /// <param name="timeToLive"><c>Pulse:Presence:TimeToLive</c>.</param>
    public static TimeSpan Duration(TimeSpan timeToLive) => timeToLive * 2 / 3;

    /// <summary>How often a front end renews: twice within a lease's life, so that one lost renewal is no flap.</summary>
    /// <param name="timeToLive">As for <see cref="Duration"/>.</param>
    public static TimeSpan RenewalInterval(TimeSpan timeToLive) => Duration(timeToLive) * 3 / 8;
}
