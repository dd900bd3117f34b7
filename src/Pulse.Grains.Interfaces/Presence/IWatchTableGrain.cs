using Orleans.Concurrency;

namespace Pulse.Presence;

/// <summary>
/// The table of one silo with the watched users of each front end. The key is the silo's address in the format of
/// <see cref="IPresenceReaderGrain.ListSilosAsync"/>.
/// </summary>
/// <remarks>
/// A silo notifies a front end of changes only for users in its table, so each front end registers its users in the tables of all silos.
/// </remarks>
[Alias("pulse.IWatchTableGrain")]
public interface IWatchTableGrain : IGrainWithStringKey
{
    /// <summary>Adds users to those that the front end watches, and removes others.</summary>
    /// <param name="frontEndId">The front-end process. See <see cref="ConnectionLease.FrontEndId"/>.</param>
    /// <param name="frontEnd">The receiver of changes.</param>
    /// <param name="added">At most <see cref="PresenceBatches.MaxWatched"/>.</param>
    /// <param name="removed">At most <see cref="PresenceBatches.MaxWatched"/>.</param>
    /// <param name="generation">The generation of the previous answer. 0 replaces the front end's whole entry.</param>
    /// <returns>The changes of the added users within the last minute. Generation 0, without a change of the table, if an earlier call was
    /// lost.</returns>
    [Alias("UpdateAsync")]
    Task<WatchTableAnswer> UpdateAsync(
        string frontEndId, [Immutable] IFrontEndObserver frontEnd, [Immutable] Guid[] added, [Immutable] Guid[] removed, long generation);

    /// <summary>Keeps the front end in the table. The table removes a front end whose last renewal is older than the lifetime of a key.</summary>
    /// <param name="frontEndId">The front-end process.</param>
    /// <param name="generation">The generation of the previous answer.</param>
    /// <param name="mark">The mark of the previous answer to this method. 0 for the first call.</param>
    /// <returns>The changes of its users since that mark, because messages may have been lost. Generation 0 if an earlier call was
    /// lost.</returns>
    [Alias("RenewAsync")]
    Task<WatchTableAnswer> RenewAsync(string frontEndId, long generation, long mark);

    /// <summary>Removes the entry of a front end that stops.</summary>
    [Alias("ForgetAsync")]
    Task ForgetAsync(string frontEndId);
}

/// <summary>Answer of a silo's table to a front end.</summary>
[GenerateSerializer, Immutable, Alias("pulse.WatchTableAnswer")]
public sealed record WatchTableAnswer
{
    /// <summary>Increases with each update. 0 if the front end must send all its users again.</summary>
    [Id(0)] public long Generation { get; init; }

    /// <summary>The latest snapshots of users with changes.</summary>
    [Id(1)] public PresenceSnapshot[] Changes { get; init; } = [];

    /// <summary>Identifies the latest change in this table, for the next renewal.</summary>
    [Id(2)] public long Mark { get; init; }
}
