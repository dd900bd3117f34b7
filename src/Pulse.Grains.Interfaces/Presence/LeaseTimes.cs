namespace Pulse.Presence;

/// <summary>Derives the times of presence from the lifetime of the user's key. Front ends and silos must agree on them.</summary>
public static class LeaseTimes
{
    /// <summary>
    /// A client that has sent nothing for this time is disconnected. SignalR's clients ping every 15 s, independent of the lifetime of a
    /// key.
    /// </summary>
    public static readonly TimeSpan ClientTimeout = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Lifetime of a lease without renewal. It is shorter than the key's, so that an unresponsive front end's users are offline before
    /// their keys expire.
    /// </summary>
    /// <remarks>
    /// With the default of 60 s, 50 s: a paused front end has renewed at most 15 s before, and the clients' SignalR takes 30 s to notice.
    /// The clients then have 5 s to reconnect elsewhere without a visible change.
    /// </remarks>
    /// <param name="timeToLive"><c>Pulse:Presence:TimeToLive</c>.</param>
    public static TimeSpan Duration(TimeSpan timeToLive) => timeToLive * 5 / 6;

    /// <summary>Interval at which a front end renews. It is short enough that two lost renewals cause no flap.</summary>
    /// <param name="timeToLive">As for <see cref="Duration"/>.</param>
    public static TimeSpan RenewalInterval(TimeSpan timeToLive) => timeToLive / 4;

    /// <summary>Time for which a silo notifies a front end that does not renew its watches.</summary>
    /// <param name="timeToLive">As for <see cref="Duration"/>.</param>
    public static TimeSpan WatchLifetime(TimeSpan timeToLive) => timeToLive;

    /// <summary>
    /// Interval at which a front end renews its watches on each silo. The renewal also returns changes whose message was lost.
    /// </summary>
    /// <param name="timeToLive">As for <see cref="Duration"/>.</param>
    public static TimeSpan WatchRenewalInterval(TimeSpan timeToLive) => timeToLive / 6;
}
