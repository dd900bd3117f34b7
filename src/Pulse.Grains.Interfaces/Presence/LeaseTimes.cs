namespace Pulse.Presence;

/// <summary>How presence's times follow from the lifetime of the user's key. Front ends and silos must agree on them.</summary>
public static class LeaseTimes
{
    /// <summary>A client that has sent nothing for so long is disconnected. SignalR's clients ping every 15 s, whatever the lifetime of a key.</summary>
    public static readonly TimeSpan ClientTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How long a lease lives without renewal: less than the key, so that a silent front end's users are offline before their keys lapse.</summary>
    /// <remarks>
    /// With the default of 60 s, 50 s: a front end that stands still has renewed 15 s before at the latest, and the clients' SignalR takes 30 s to notice.
    /// There remain 5 s for them to come back elsewhere unseen.
    /// </remarks>
    /// <param name="timeToLive"><c>Pulse:Presence:TimeToLive</c>.</param>
    public static TimeSpan Duration(TimeSpan timeToLive) => timeToLive * 5 / 6;

    /// <summary>How often a front end renews: often enough that two lost renewals are no flap.</summary>
    /// <param name="timeToLive">As for <see cref="Duration"/>.</param>
    public static TimeSpan RenewalInterval(TimeSpan timeToLive) => timeToLive / 4;

    /// <summary>How long a silo notifies a front end that does not renew its watches.</summary>
    /// <param name="timeToLive">As for <see cref="Duration"/>.</param>
    public static TimeSpan WatchLifetime(TimeSpan timeToLive) => timeToLive;

    /// <summary>How often a front end renews its watches on each silo, which also returns changes whose message was lost.</summary>
    /// <param name="timeToLive">As for <see cref="Duration"/>.</param>
    public static TimeSpan WatchRenewalInterval(TimeSpan timeToLive) => timeToLive / 6;
}
