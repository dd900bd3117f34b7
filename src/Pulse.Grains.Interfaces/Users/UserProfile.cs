namespace Pulse.Users;

/// <summary>A user as stored in the <c>users</c> row.</summary>
[GenerateSerializer, Immutable, Alias("pulse.UserProfile")]
public sealed record UserProfile
{
    /// <summary>The user id: a UUID, of version 7 if Pulse created it.</summary>
    [Id(0)] public required Guid Id { get; init; }

    /// <summary>
    /// Normalized address (see <see cref="Identity.EmailAddress"/>). Unique among users if <see cref="EmailVerified"/>. Otherwise it is
    /// unproven and visible only to this user.
    /// </summary>
    [Id(1)] public required string Email { get; init; }

    /// <summary>Display name, 1 to 200 characters other than control characters.</summary>
    [Id(2)] public required string Name { get; init; }

    /// <summary>Absolute https URL of a picture, at most 2,048 characters (http in older rows), or <see langword="null"/>.</summary>
    [Id(3)] public string? Avatar { get; init; }

    /// <summary>When the row was created, UTC.</summary>
    [Id(4)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>
    /// When the last connection ended, or when an unresponsive one was last known to be live, UTC. <see langword="null"/> if none has
    /// ended.
    /// </summary>
    [Id(5)] public DateTimeOffset? LastSeenAt { get; init; }

    /// <summary>Whether the provider of a sign-in has verified <see cref="Email"/>.</summary>
    [Id(6)] public bool EmailVerified { get; init; }

    /// <summary>
    /// Time since which an operator has disabled the user, UTC. <see langword="null"/> for an enabled user. A disabled user is shown to no
    /// other user.
    /// </summary>
    [Id(7)] public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>Tokens of trusted issuers with an earlier issue time, UTC, are refused. <see langword="null"/> accepts all.</summary>
    [Id(8)] public DateTimeOffset? TokensNotBefore { get; init; }
}
