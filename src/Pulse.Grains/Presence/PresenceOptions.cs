using System.ComponentModel.DataAnnotations;
using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>Timing of leases, keys and heartbeats.</summary>
internal sealed class PresenceOptions : IValidatableObject
{
    public const string SectionName = "Pulse:Presence";

    /// <summary>Lifetime of a Redis presence key, from a second to a day. Default 60 s. Leases and renewals derive from it.</summary>
    public TimeSpan TimeToLive { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Interval at which clients are asked to send a heartbeat. Default 30 s.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time for which a user whose last connection broke still counts as connected, so that watchers never see a reconnect. Default 10 s.
    /// </summary>
    public TimeSpan OfflineGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A connection whose client has not called for this time, heartbeats included, counts as away. Default 5 min.</summary>
    public TimeSpan AwayAfter { get; set; } = TimeSpan.FromMinutes(5);

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

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (HeartbeatInterval <= TimeSpan.Zero)
        {
            yield return new($"{SectionName}:HeartbeatInterval is {HeartbeatInterval}; it must be positive, such as 00:00:30.");
        }

        if (OfflineGrace < TimeSpan.Zero) yield return new($"{SectionName}:OfflineGrace is {OfflineGrace}; it must not be negative. 00:00:10 is usual, 0 for none.");
        if (TimeToLive < TimeSpan.FromSeconds(1) || TimeToLive > TimeSpan.FromDays(1))
        {
            yield return new($"{SectionName}:TimeToLive is {TimeToLive}; it must be at least a second and at most a day, such as 00:01:00.");
        }
    }
}
