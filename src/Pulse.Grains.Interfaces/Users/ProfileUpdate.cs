namespace Pulse.Users;

/// <summary>
/// Profile values from a caller's token and request, validated and normalized. <see langword="null"/> keeps the stored value.
/// </summary>
[GenerateSerializer, Immutable, Alias("pulse.ProfileUpdate")]
public sealed record ProfileUpdate
{
    /// <summary>Normalised address. A new user needs one.</summary>
    [Id(0)] public string? Email { get; init; }

    /// <summary>Whether the token's issuer has verified <see cref="Email"/>.</summary>
    [Id(1)] public bool EmailVerified { get; init; }

    /// <summary>Display name. A new user without one gets the local part of the address.</summary>
    [Id(2)] public string? Name { get; init; }

    /// <summary>Absolute https URL of a picture.</summary>
    [Id(3)] public string? Avatar { get; init; }

    /// <summary>Removes the stored picture. <see cref="Avatar"/> is then <see langword="null"/>.</summary>
    [Id(4)] public bool RemoveAvatar { get; init; }

    /// <summary>
    /// Whether an unlinked account joins the user who has proven the same <see cref="Email"/>, because the provider is authoritative for
    /// that address or the operator has decided so. Requires <see cref="EmailVerified"/>.
    /// </summary>
    [Id(5)] public bool JoinsByEmail { get; init; }

    /// <summary>Whether the user has chosen <see cref="Name"/>. Later sign-ins and tokens then keep it.</summary>
    [Id(6)] public bool EditsName { get; init; }

    /// <summary>Whether the user has chosen <see cref="Avatar"/>, or chosen to have none. Later sign-ins and tokens then keep it.</summary>
    [Id(7)] public bool EditsAvatar { get; init; }

    /// <summary>
    /// Whether name and picture come from a provider at a sign-in. They are then written only if the user is known to have kept the
    /// provider's former values.
    /// </summary>
    [Id(8)] public bool FromSignIn { get; init; }

    /// <summary>
    /// Whether the update is only for an existing user: the account's, or the one that it joins by its proven address. Otherwise the
    /// outcome is <see cref="ProfileSyncOutcome.SignUpRefused"/>. A silo of an earlier version does not know this member, and creates the
    /// user.
    /// </summary>
    [Id(9)] public bool KnownUserOnly { get; init; }

    /// <summary>
    /// When the update's token was issued, UTC. <see langword="null"/> if the token has no time, and for a sign-in, whose time is now.
    /// </summary>
    [Id(10)] public DateTimeOffset? TokenIssuedAt { get; init; }

    /// <summary>See <see cref="UserProfile.TokensNotBefore"/>. Set for a new user with the account of an erased user.</summary>
    [Id(11)] public DateTimeOffset? TokensNotBefore { get; init; }

    /// <summary>
    /// The session in which the user has confirmed <see cref="Email"/> by a mail. The mailbox then becomes an account of the user, in place
    /// of the former address's, and of the sessions that the former mailbox opened this one stays.
    /// </summary>
    [Id(12)] public Guid? ConfirmedInSession { get; init; }
}
