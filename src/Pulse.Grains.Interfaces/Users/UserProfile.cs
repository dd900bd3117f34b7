namespace Pulse.Users;

/// <summary>A user as their <c>users</c> row has them.</summary>
[GenerateSerializer, Immutable, Alias("pulse.UserProfile")]
public sealed record UserProfile
{
    /// <summary>The user id: a UUID, version 7 where Pulse made it.</summary>
    [Id(0)] public required Guid Id { get; init; }

    /// <summary>
    /// Normalised address (see <see cref="Identity.EmailAddress"/>). Unique among users if <see cref="EmailVerified"/>; otherwise only stated, and for
    /// this user's own eyes.
    /// </summary>
    [Id(1)] public required string Email { get; init; }

    /// <summary>Display name, 1 to 200 characters, no control characters.</summary>
    [Id(2)] public required string Name { get; init; }

    /// <summary>Absolute https URL of a picture, at most 2,048 characters (http in older rows); <see langword="null"/> for none.</summary>
    [Id(3)] public string? Avatar { get; init; }

    /// <summary>When the row was created, UTC.</summary>
    [Id(4)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the last connection ended, or the last sign of life of one that fell silent, UTC; <see langword="null"/> if none has ended.</summary>
    [Id(5)] public DateTimeOffset? LastSeenAt { get; init; }

    /// <summary>Whether whoever signed the user in vouched for <see cref="Email"/>.</summary>
    [Id(6)] public bool EmailVerified { get; init; }

    /// <summary>Since when an operator has disabled the user, UTC; <see langword="null"/> for not. A disabled user is shown to nobody.</summary>
    [Id(7)] public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>Tokens of trusted issuers that were issued before this time, UTC, are refused; <see langword="null"/> for none.</summary>
    [Id(8)] public DateTimeOffset? TokensNotBefore { get; init; }
}
