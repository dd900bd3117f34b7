namespace Pulse.Grains.Presence;

/// <summary>
/// Lets other systems look up online users: one expiring key per user that a silo renews. The index is a mirror, and the grains' leases are
/// the truth.
/// </summary>
/// <remarks>
/// A second key records that the user is invisible, for a later activation of the user's grain. It is written before the first key, because
/// a reader must not find the first key alone. Calls for one user take effect in call order, also across methods. While the index is
/// unavailable the calls fail quickly with <see cref="PresenceIndexUnavailableException"/>. The caller that renews the keys repairs them
/// afterwards.
/// </remarks>
internal interface IPresenceIndex
{
    /// <summary>Sets the user's key with its full time to live, and the invisible key if asked.</summary>
    /// <returns>Whether the key existed before, left by an earlier activation of the grain.</returns>
    Task<bool> SetOnlineAsync(Guid userId, bool invisible);

    /// <summary>Sets the keys of these users with their full time to live, in one pipelined batch.</summary>
    Task SetOnlineAsync(IReadOnlyCollection<(Guid UserId, bool Invisible)> users);

    /// <summary>Sets or deletes the user's invisible key.</summary>
    Task SetInvisibleAsync(Guid userId, bool invisible);

    /// <summary>Deletes the user's key, and the invisible key if it may exist.</summary>
    Task SetOfflineAsync(Guid userId, bool wasInvisible);

    /// <summary>Whether the user's key exists. Called by a grain that is new on its silo, before the front ends have renewed.</summary>
    Task<bool> IsOnlineAsync(Guid userId);

    /// <summary>Whether the user's invisible key exists. Called by a grain that has found the other key.</summary>
    Task<bool> IsInvisibleAsync(Guid userId);

    /// <summary>Reads the keys of these users in one pipeline.</summary>
    Task<OnlineKeys> FindOnlineAsync(IReadOnlyList<Guid> userIds);
}

/// <summary>The keys that were found.</summary>
/// <param name="IsOnline">For each user, in the order of the call, whether the key exists.</param>
/// <param name="IsComplete">Whether a missing key proves that its user is offline. False for some time after keys were lost.</param>
internal readonly record struct OnlineKeys(bool[] IsOnline, bool IsComplete);
