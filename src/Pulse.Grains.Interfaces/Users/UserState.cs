namespace Pulse.Users;

/// <summary>Whether a user may use Pulse.</summary>
public enum UserState
{
    /// <summary>The user has no row yet.</summary>
    Unknown = 0,

    /// <summary>The user may use Pulse.</summary>
    Active = 1,

    /// <summary>An operator has disabled the user.</summary>
    Disabled = 2,

    /// <summary>The user was erased. The id is never reused.</summary>
    Erased = 3,
}

/// <summary>A call of a user who is disabled or erased, or with a token from before the account's former user was erased.</summary>
[GenerateSerializer, Alias("pulse.UserRefusedException")]
public sealed class UserRefusedException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="state">The reason for the refusal.</param>
    public UserRefusedException(UserState state)
        : base($"The user is refused ({state}).") => State = state;

    /// <summary>The reason for the refusal.</summary>
    [Id(0)] public UserState State { get; }
}
