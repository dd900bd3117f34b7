using System.ComponentModel.DataAnnotations;
using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>Timing of leases, keys and heartbeats.</summary>
internal sealed class PresenceOptions : SharedPresenceOptions
{
    public const string SectionName = "Pulse:Presence";

    private static readonly TimeSpan s_maxOfflineGrace = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_maxAwayAfter = TimeSpan.FromDays(365);

    /// <summary>
    /// Time for which a user whose last connection broke still counts as connected, so that watchers never see a reconnect. At most a day.
    /// Default 10 s.
    /// </summary>
    public TimeSpan OfflineGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A connection whose client has not called for this time, heartbeats included, counts as away. At least <see cref="MinAwayAfter"/>, at
    /// most a year. Default 5 min.
    /// </summary>
    public TimeSpan AwayAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The age that the latest call of an active client can have in the grain: the client calls once per heartbeat interval, and the grain
    /// learns of it at the next renewal.
    /// </summary>
    public TimeSpan MinAwayAfter => HeartbeatInterval + LeaseTimes.RenewalInterval(TimeToLive);

    /// <summary>Maximum connections of a user. One more closes the oldest. Default 20.</summary>
    [Range(1, 1_000)]
    public int MaxConnectionsPerUser { get; set; } = 20;

    /// <summary>See <see cref="LeaseTimes.Duration"/>.</summary>
    public TimeSpan LeaseDuration => LeaseTimes.Duration(TimeToLive);

    /// <summary>
    /// Time for which a grain that is new on its silo trusts its predecessor's key: until every front end has renewed, plus a sixth of the
    /// key's lifetime for a late one.
    /// </summary>
    public TimeSpan TakeoverWindow => LeaseTimes.RenewalInterval(TimeToLive) + TimeToLive / 6;

    /// <summary>
    /// A silo considers itself paused after this time without a tick. The time is too short for a lease to expire. With the default, and a
    /// lease of 50 s, it is also too short for the silo to be declared dead.
    /// </summary>
    public TimeSpan PauseThreshold => TimeToLive / 6;

    /// <summary>Interval at which a live key is written again. A flushed Redis is complete again within this time.</summary>
    public TimeSpan KeyRenewalInterval => TimeToLive / 3;

    /// <summary>
    /// Interval at which lastSeen of an online user is saved. A crash of grain and front end together loses at most this much.
    /// </summary>
    public TimeSpan LastSeenSaveInterval => HeartbeatInterval;

    /// <summary>Interval at which leases and keys are checked. It adds at most this much to every deadline above.</summary>
    public TimeSpan SweepInterval => TimeToLive / 60;

    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var shared = base.Validate(validationContext).ToArray();
        foreach (var fault in shared) yield return fault;

        if (OfflineGrace < TimeSpan.Zero || OfflineGrace > s_maxOfflineGrace)
        {
            yield return new($"{SectionName}:OfflineGrace is {OfflineGrace}; it must be at most a day and not negative. 00:00:10 is usual, 0 for none.");
        }

        // The minimum is the sum of the shared times, and means nothing while one of them is faulty.
        if (shared.Length > 0) yield break;
        if (AwayAfter < MinAwayAfter)
        {
            yield return new($"{SectionName}:AwayAfter is {AwayAfter}; it must be at least {MinAwayAfter}, which is HeartbeatInterval and a quarter of TimeToLive. "
                + "Otherwise active users would be away between two renewals. 00:05:00 is usual.");
        }

        if (AwayAfter > s_maxAwayAfter) yield return new($"{SectionName}:AwayAfter is {AwayAfter}; it must be at most {s_maxAwayAfter}. 00:05:00 is usual.");
    }
}
