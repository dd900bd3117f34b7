namespace Pulse.Users;

/// <summary>What became of a profile write. Readers treat an outcome that they do not know as a failure.</summary>
public enum ProfileSyncOutcome
{
    /// <summary>The row is new.</summary>
    Created = 0,

    /// <summary>The row was there; it now agrees with the update.</summary>
    Updated = 1,

    /// <summary>The update proves an e-mail that another user has proven. Nothing was written.</summary>
    EmailTaken = 2,

    /// <summary>The user would be new and the update has no e-mail. Nothing was written.</summary>
    EmailMissing = 3,

    /// <summary>The external account already belongs to another user. Nothing was written.</summary>
    AccountTaken = 4,

    /// <summary>The user would be new, and <see cref="ProfileUpdate.KnownUserOnly"/> is set. Nothing was written.</summary>
    SignUpRefused = 5,

    /// <summary>An operator has disabled the user. Nothing was written.</summary>
    Disabled = 6,

    /// <summary>The user was erased, or the token is from before the user of its account was. Nothing was written.</summary>
    Erased = 7,
}

/// <summary>The outcome, and the profile as stored when there is one to show.</summary>
/// <param name="Outcome">What happened.</param>
/// <param name="FormerEmail">The proven address that the write has replaced by another one; <see langword="null"/> otherwise.</param>
/// <param name="Profile">The stored profile after <see cref="ProfileSyncOutcome.Created"/> and <see cref="ProfileSyncOutcome.Updated"/>; else <see langword="null"/>.</param>
[GenerateSerializer, Immutable, Alias("pulse.ProfileSyncResult")]
public sealed record ProfileSyncResult(
    [property: Id(0)] ProfileSyncOutcome Outcome, [property: Id(1)] UserProfile? Profile = null, [property: Id(2)] string? FormerEmail = null);
