namespace Pulse.Presence;

/// <summary>A user's availability. On the wire: the names in lower case. Readers treat an unknown number as <see cref="Online"/>.</summary>
public enum PresenceStatus
{
    /// <summary>The user is disconnected or invisible.</summary>
    Offline = 0,

    /// <summary>Connected.</summary>
    Online = 1,

    /// <summary>Connected, but inactive.</summary>
    Away = 2,

    /// <summary>Connected, and asks to be left alone.</summary>
    Busy = 3,

    /// <summary>Connected, while other users see <see cref="Offline"/>.</summary>
    Invisible = 4,
}
