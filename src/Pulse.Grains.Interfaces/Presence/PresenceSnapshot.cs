namespace Pulse.Presence;

/// <summary>What others see of a user now. A hint: it may be stale by the time it is read.</summary>
[GenerateSerializer, Immutable, Alias("pulse.PresenceSnapshot")]
public sealed record PresenceSnapshot
{
    /// <summary>Whose presence it is.</summary>
    [Id(0)] public required Guid UserId { get; init; }

    /// <summary>The visible status.</summary>
    [Id(1)] public required PresenceStatus Status { get; init; }

    /// <summary>The user's own words, at most 140 characters; <see langword="null"/> for none.</summary>
    [Id(2)] public string? Message { get; init; }

    /// <summary>As <see cref="Users.UserProfile.LastSeenAt"/>.</summary>
    [Id(3)] public DateTimeOffset? LastSeenAt { get; init; }
}
