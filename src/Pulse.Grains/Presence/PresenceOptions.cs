using System.ComponentModel.DataAnnotations;
using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>How long a sign of life counts.</summary>
internal sealed class PresenceOptions : IValidatableObject
{
    public const string SectionName = "Pulse:Presence";

    /// <summary>Lifetime of a Redis presence key; at least a second. Leases and renewals follow from it.</summary>
    public TimeSpan TimeToLive { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often clients are asked to beat.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a user whose last connection broke still counts as connected, so that a reconnect is never seen.</summary>
    public TimeSpan OfflineGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A connection whose client has not called for so long, not even to beat, counts as away.</summary>
    public TimeSpan AwayAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How many connections a user may have; with one more, the oldest is closed.</summary>
    [Range(1, 1_000)]
    public int MaxConnectionsPerUser { get; set; } = 20;

    /// <summary>See <see cref="LeaseTimes.Duration"/>.</summary>
    public TimeSpan LeaseDuration => LeaseTimes.Duration(TimeToLive);

    /// <summary>
    /// How long a grain that is new on its silo believes its predecessor's key: until every front end has renewed, and a sixth of the key's lifetime more for
    /// one that is late.
    /// </summary>
    public TimeSpan TakeoverWindow => LeaseTimes.RenewalInterval(TimeToLive) + TimeToLive / 6;

    /// <summary>
    /// After how long without a tick a silo takes itself to have been paused: too short for a lease to expire; with the default, and a lease of 50 s, also
    /// too short to be declared dead.
    /// </summary>
    public TimeSpan PauseThreshold => TimeToLive / 6;

    /// <summary>How often a live key is written again: a flushed Redis is whole again within this time.</summary>
    public TimeSpan KeyRenewalInterval => TimeToLive / 3;

    /// <summary>How often lastSeen of a user who is online is saved: what a crash of grain and front end together can lose of it.</summary>
    public TimeSpan LastSeenSaveInterval => HeartbeatInterval;

    /// <summary>How often leases and keys are looked at. Adds at most this much to every deadline above.</summary>
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
