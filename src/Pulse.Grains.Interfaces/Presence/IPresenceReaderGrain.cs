using Pulse.Users;

namespace Pulse.Presence;

/// <summary>Reads the presence of many users in one call, and activates no grain for a user who is absent. One activation per silo; the key is 0.</summary>
[Alias("pulse.IPresenceReaderGrain")]
public interface IPresenceReaderGrain : IGrainWithIntegerKey
{
    /// <summary>What others may see of each user's presence.</summary>
    /// <param name="userIds">At most <see cref="PresenceBatches.MaxUsers"/>.</param>
    /// <param name="knownVersions">
    /// For each user the version that the caller knows, and 0 for none; empty when the caller knows nothing. For a user with a known version the user's
    /// grain answers, with a higher version if its state may be another; see <see cref="IUserGrain.ReadPresenceAsync"/>.
    /// </param>
    /// <returns>One snapshot for each user, in the order of <paramref name="userIds"/>.</returns>
    [Alias("ReadAsync")]
    Task<PresenceSnapshot[]> ReadAsync([Immutable] Guid[] userIds, [Immutable] long[] knownVersions);

    /// <summary>For each user, in the order asked, whether the presence key is there; empty while a missing key proves nothing.</summary>
    /// <param name="userIds">At most <see cref="PresenceBatches.MaxUsers"/>.</param>
    [Alias("FindOnlineAsync")]
    Task<bool[]> FindOnlineAsync([Immutable] Guid[] userIds);

    /// <summary>The active silos, as keys of <see cref="IWatchTableGrain"/>.</summary>
    [Alias("ListSilosAsync")]
    Task<string[]> ListSilosAsync();
}

/// <summary>Sizes of calls about many users.</summary>
public static class PresenceBatches
{
    /// <summary>How many users one call to the reader may name.</summary>
    public const int MaxUsers = 1_000;

    /// <summary>How many users one call may add to a watch table, or remove from it.</summary>
    public const int MaxWatched = 2_000;
}
