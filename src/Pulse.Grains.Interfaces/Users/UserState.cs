namespace Pulse.Users;

/// <summary>Whether a user may use Pulse.</summary>
public enum UserState
{
    /// <summary>The user has no row yet.</summary>
    Unknown = 0,

    /// <summary>The user may.</summary>
    Active = 1,

    /// <summary>An operator has disabled the user.</summary>
    Disabled = 2,

    /// <summary>The user was erased. The id is never used again.</summary>
    Erased = 3,
}

/// <summary>A call in the name of a user who is disabled or erased, or whose token is from before the account's former user was erased.</summary>
[GenerateSerializer, Alias("pulse.UserRefusedException")]
public sealed class UserRefusedException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="state">Why the call is refused.</param>
    public UserRefusedException(UserState state)
        : base($"The user is refused ({state}).") => State = state;

    /// <summary>Why the call is refused.</summary>
    [Id(0)] public UserState State { get; }
}
