namespace Pulse.Presence;

/// <summary>A user's present state as other users see it. It is a hint, because it may be outdated when it is read.</summary>
[GenerateSerializer, Immutable, Alias("pulse.PresenceSnapshot")]
public sealed record PresenceSnapshot
{
    /// <summary>The user.</summary>
    [Id(0)] public required Guid UserId { get; init; }

    /// <summary>The visible status. <see cref="PresenceStatus.Invisible"/> appears here as <see cref="PresenceStatus.Offline"/>.</summary>
    [Id(1)] public required PresenceStatus Status { get; init; }

    /// <summary>The user's own message, at most 140 characters, or <see langword="null"/>.</summary>
    [Id(2)] public string? Message { get; init; }

    /// <summary>
    /// As <see cref="Users.UserProfile.LastSeenAt"/>. Also <see langword="null"/> while the database with its value is unavailable.
    /// </summary>
    [Id(3)] public DateTimeOffset? LastSeenAt { get; init; }

    /// <summary>
    /// Increases with every change of this user's presence, also across silos. Of two snapshots the higher version is the later.
    /// </summary>
    [Id(4)] public long Version { get; init; }

    /// <summary>The status as the user sees it. Differs from <see cref="Status"/> while the user is invisible.</summary>
    [Id(5)] public PresenceStatus OwnStatus { get; init; }

    /// <summary>
    /// Whether the state is a guess from the Redis key, or without Redis, because the grain is new on its silo and front ends have yet to
    /// renew. A reader with an earlier state keeps it. A certain state follows within one lease.
    /// </summary>
    [Id(6)] public bool IsProvisional { get; init; }

    /// <summary>
    /// As <see cref="Version"/>, for the state that other users see. Stays unchanged while an invisible user connects and disconnects. 0
    /// from silos of earlier versions.
    /// </summary>
    [Id(7)] public long VersionForOthers { get; init; }
}
