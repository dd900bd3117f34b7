namespace Pulse.Users;

/// <summary>What a caller's token and request say about them. Already validated and normalised; <see langword="null"/> leaves the stored value.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ProfileUpdate")]
public sealed record ProfileUpdate
{
    /// <summary>Normalised address. A new user needs one.</summary>
    [Id(0)] public string? Email { get; init; }

    /// <summary>Whether the token's issuer vouches for <see cref="Email"/>.</summary>
    [Id(1)] public bool EmailVerified { get; init; }

    /// <summary>Display name. A new user without one gets the local part of the address.</summary>
    [Id(2)] public string? Name { get; init; }

    /// <summary>Absolute https URL of a picture.</summary>
    [Id(3)] public string? Avatar { get; init; }

    /// <summary>Takes the stored picture away; <see cref="Avatar"/> is then <see langword="null"/>.</summary>
    [Id(4)] public bool RemoveAvatar { get; init; }

    /// <summary>
    /// Whether an account that no user has joins the user who has proven the same <see cref="Email"/>: the provider is authoritative for that address,
    /// or the operator has decided so. Counts only with <see cref="EmailVerified"/>.
    /// </summary>
    [Id(5)] public bool JoinsByEmail { get; init; }

    /// <summary>Whether the user has chosen <see cref="Name"/>: no later sign-in or token then changes it.</summary>
    [Id(6)] public bool EditsName { get; init; }

    /// <summary>Whether the user has chosen <see cref="Avatar"/>, or to have none: no later sign-in or token then changes it.</summary>
    [Id(7)] public bool EditsAvatar { get; init; }

    /// <summary>
    /// Whether name and picture are a provider's at a sign-in: they are then written only where the user is known to have left the former ones as the
    /// provider gave them.
    /// </summary>
    [Id(8)] public bool FromSignIn { get; init; }

    /// <summary>
    /// Whether the update is for an existing user alone: the account's, or the one that it joins by its proven address. Otherwise the outcome is
    /// <see cref="ProfileSyncOutcome.SignUpRefused"/>. A silo of an earlier version does not know this member, and creates the user.
    /// </summary>
    [Id(9)] public bool KnownUserOnly { get; init; }

    /// <summary>When the token was issued that the update is from, UTC; <see langword="null"/> if it does not say, and for a sign-in, which is now.</summary>
    [Id(10)] public DateTimeOffset? TokenIssuedAt { get; init; }

    /// <summary>See <see cref="UserProfile.TokensNotBefore"/>: for a new user whose account an erased user had.</summary>
    [Id(11)] public DateTimeOffset? TokensNotBefore { get; init; }
}
