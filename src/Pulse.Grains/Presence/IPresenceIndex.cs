namespace Pulse.Grains.Presence;

/// <summary>Where other systems look up who is online: a key per user that expires unless kept alive. A mirror, never the truth.</summary>
/// <remarks>
/// Calls for one user take effect in the order in which they were made, also across methods. While the index is away the calls fail with
/// <see cref="PresenceIndexUnavailableException"/>, soon; whoever keeps the keys alive makes them whole again afterwards.
/// </remarks>
internal interface IPresenceIndex
{
    /// <summary>Sets the user's key with its whole time to live.</summary>
    /// <returns>Whether it was there before: left by an activation of the grain that is gone.</returns>
    Task<bool> SetOnlineAsync(Guid userId);

    /// <summary>Sets the keys of these users, each with its whole time to live, in one pipelined batch.</summary>
    Task SetOnlineAsync(IReadOnlyCollection<Guid> userIds);

    /// <summary>Deletes the user's key.</summary>
    Task SetOfflineAsync(Guid userId);

    /// <summary>Whether the user's key is there and unexpired. Asked by a grain that is new on its silo and has not heard from the front ends yet.</summary>
    Task<bool> IsOnlineAsync(Guid userId);

    /// <summary>Reads the keys of these users in one command.</summary>
    Task<OnlineKeys> FindOnlineAsync(IReadOnlyList<Guid> userIds);
}

/// <summary>The keys that were found.</summary>
/// <param name="IsOnline">For each user, in the order asked, whether the key is there.</param>
/// <param name="IsComplete">Whether a missing key proves that its user is offline; it does not for a while after keys were lost.</param>
internal readonly record struct OnlineKeys(bool[] IsOnline, bool IsComplete);
