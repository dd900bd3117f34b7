namespace Pulse.Users;

/// <summary>Outcome of a profile write. Readers treat an unknown outcome as a failure.</summary>
public enum ProfileSyncOutcome
{
    /// <summary>The row is new.</summary>
    Created = 0,

    /// <summary>The row existed and now matches the update.</summary>
    Updated = 1,

    /// <summary>The update proves an e-mail that another user has proven. The database is unchanged.</summary>
    EmailTaken = 2,

    /// <summary>The user would be new and the update has no e-mail. The database is unchanged.</summary>
    EmailMissing = 3,

    /// <summary>The external account already belongs to another user. The database is unchanged.</summary>
    AccountTaken = 4,

    /// <summary>The user would be new, and <see cref="ProfileUpdate.KnownUserOnly"/> is set. The database is unchanged.</summary>
    SignUpRefused = 5,

    /// <summary>An operator has disabled the user. The database is unchanged.</summary>
    Disabled = 6,

    /// <summary>
    /// The user was erased, or the token is older than the erasure of its account's former user. The database is unchanged.
    /// </summary>
    Erased = 7,
}

/// <summary>The outcome, and the stored profile if there is one.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="FormerEmail">The proven address that the write has replaced. Otherwise <see langword="null"/>.</param>
/// <param name="Joined">Whether the write has linked the account to the existing user with its proven address.</param>
/// <param name="Profile">The stored profile after <see cref="ProfileSyncOutcome.Created"/> and <see cref="ProfileSyncOutcome.Updated"/>.
/// Otherwise <see langword="null"/>.</param>
[GenerateSerializer, Immutable, Alias("pulse.ProfileSyncResult")]
public sealed record ProfileSyncResult(
    [property: Id(0)] ProfileSyncOutcome Outcome, [property: Id(1)] UserProfile? Profile = null, [property: Id(2)] string? FormerEmail = null,
    [property: Id(3)] bool Joined = false);
