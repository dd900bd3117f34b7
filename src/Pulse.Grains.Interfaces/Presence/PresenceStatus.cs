namespace Pulse.Presence;

/// <summary>How present a user is. On the wire: the names in lower case. Readers take an unknown number for <see cref="Online"/>.</summary>
public enum PresenceStatus
{
    /// <summary>No connection, or none that others may know of.</summary>
    Offline = 0,

    /// <summary>Connected.</summary>
    Online = 1,

    /// <summary>Connected, but not at the keyboard.</summary>
    Away = 2,

    /// <summary>Connected, and not to be disturbed.</summary>
    Busy = 3,

    /// <summary>Connected; others see <see cref="Offline"/>.</summary>
    Invisible = 4,
}
