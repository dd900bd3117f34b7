using Pulse.Users;

namespace Pulse.Presence;

/// <summary>
/// Reads the presence of many users in one call, and activates no grain for an offline user. One activation per silo. The key is 0.
/// </summary>
[Alias("pulse.IPresenceReaderGrain")]
public interface IPresenceReaderGrain : IGrainWithIntegerKey
{
    /// <summary>Each user's presence as other users see it.</summary>
    /// <param name="userIds">At most <see cref="PresenceBatches.MaxUsers"/>.</param>
    /// <param name="knownVersions">
    /// For each user the version that the caller knows, and 0 for none. An empty array is the same as all zeros. For a user with a known
    /// version the user's grain answers, with a higher version if its state may differ. See <see cref="IUserGrain.ReadPresenceAsync"/>.
    /// </param>
    /// <returns>One snapshot for each user, in the order of <paramref name="userIds"/>.</returns>
    [Alias("ReadAsync")]
    Task<PresenceSnapshot[]> ReadAsync([Immutable] Guid[] userIds, [Immutable] long[] knownVersions);

    /// <summary>
    /// For each user, in the order of the call, whether the presence key exists. Empty while a missing key proves nothing.
    /// </summary>
    /// <param name="userIds">At most <see cref="PresenceBatches.MaxUsers"/>.</param>
    [Alias("FindOnlineAsync")]
    Task<bool[]> FindOnlineAsync([Immutable] Guid[] userIds);

    /// <summary>The active silos, as keys of <see cref="IWatchTableGrain"/>.</summary>
    [Alias("ListSilosAsync")]
    Task<string[]> ListSilosAsync();
}

/// <summary>Size limits of calls about many users.</summary>
public static class PresenceBatches
{
    /// <summary>Maximum users in one call to the reader.</summary>
    public const int MaxUsers = 1_000;

    /// <summary>Maximum users that one call may add to a watch table, or remove from it.</summary>
    public const int MaxWatched = 2_000;
}
