namespace Pulse.Presence;

/// <summary>What others see of a user now. A hint: it may be stale by the time it is read.</summary>
[GenerateSerializer, Immutable, Alias("pulse.PresenceSnapshot")]
public sealed record PresenceSnapshot
{
    /// <summary>Whose presence it is.</summary>
    [Id(0)] public required Guid UserId { get; init; }

    /// <summary>The visible status; never <see cref="PresenceStatus.Invisible"/>.</summary>
    [Id(1)] public required PresenceStatus Status { get; init; }

    /// <summary>The user's own words, at most 140 characters; <see langword="null"/> for none.</summary>
    [Id(2)] public string? Message { get; init; }

    /// <summary>As <see cref="Users.UserProfile.LastSeenAt"/>; <see langword="null"/> also while the database that has it is away.</summary>
    [Id(3)] public DateTimeOffset? LastSeenAt { get; init; }

    /// <summary>Grows with every change of this user's presence, also across silos: of two snapshots the higher is the later.</summary>
    [Id(4)] public long Version { get; init; }

    /// <summary>The status as the user themselves sees it; differs from <see cref="Status"/> while they are invisible.</summary>
    [Id(5)] public PresenceStatus OwnStatus { get; init; }

    /// <summary>
    /// The grain is new on its silo and has not heard from the front ends yet: what it says is a guess by the Redis key, or
    /// without Redis. Whoever knows an earlier state keeps it; a certain one follows within one lease.
    /// </summary>
    [Id(6)] public bool IsProvisional { get; init; }

    /// <summary>
    /// As <see cref="Version"/>, of what others see: stands still while somebody invisible comes and goes. 0 from silos that do not have it yet.
    /// </summary>
    [Id(7)] public long VersionForOthers { get; init; }
}
