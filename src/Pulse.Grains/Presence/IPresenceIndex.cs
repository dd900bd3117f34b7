namespace Pulse.Grains.Presence;

/// <summary>Where other systems look up which users are online: a key per user that expires unless kept alive. A mirror, never the truth.</summary>
/// <remarks>
/// A second key tells a later activation of the user's grain that the user is invisible. It is written before the first, so that no reader finds the first
/// alone. Calls for one user take effect in the order in which they were made, also across methods. While the index is unavailable the calls fail soon with
/// <see cref="PresenceIndexUnavailableException"/>; the caller that keeps the keys alive makes them whole again afterwards.
/// </remarks>
internal interface IPresenceIndex
{
    /// <summary>Sets the user's key with its whole time to live, and the invisible key if asked.</summary>
    /// <returns>Whether the key was there before: left by an activation of the grain that is gone.</returns>
    Task<bool> SetOnlineAsync(Guid userId, bool invisible);

    /// <summary>Sets the keys of these users, each with its whole time to live, in one pipelined batch.</summary>
    Task SetOnlineAsync(IReadOnlyCollection<(Guid UserId, bool Invisible)> users);

    /// <summary>Sets or deletes the user's invisible key.</summary>
    Task SetInvisibleAsync(Guid userId, bool invisible);

    /// <summary>Deletes the user's key, and the invisible key if there may be one.</summary>
    Task SetOfflineAsync(Guid userId, bool wasInvisible);

    /// <summary>Whether the user's key is there and unexpired. Asked by a grain that is new on its silo and has not heard from the front ends yet.</summary>
    Task<bool> IsOnlineAsync(Guid userId);

    /// <summary>Whether the user's invisible key is there and unexpired. Asked by a grain that has found the other key.</summary>
    Task<bool> IsInvisibleAsync(Guid userId);

    /// <summary>Reads the keys of these users in one pipeline.</summary>
    Task<OnlineKeys> FindOnlineAsync(IReadOnlyList<Guid> userIds);
}

/// <summary>The keys that were found.</summary>
/// <param name="IsOnline">For each user, in the order asked, whether the key is there.</param>
/// <param name="IsComplete">Whether a missing key proves that its user is offline; it does not for a while after keys were lost.</param>
internal readonly record struct OnlineKeys(bool[] IsOnline, bool IsComplete);
