using Orleans.Concurrency;

namespace Pulse.Presence;

/// <summary>The table of one silo: which front ends watch which users. The key is the silo's address, as <see cref="IPresenceReaderGrain.ListSilosAsync"/> names it.</summary>
/// <remarks>A silo notifies a front end of changes only for users in its table, so each front end keeps its users in the tables of all silos.</remarks>
[Alias("pulse.IWatchTableGrain")]
public interface IWatchTableGrain : IGrainWithStringKey
{
    /// <summary>Adds users to those that the front end watches, and removes others.</summary>
    /// <param name="frontEndId">The front-end process; see <see cref="ConnectionLease.FrontEndId"/>.</param>
    /// <param name="frontEnd">Where changes are sent.</param>
    /// <param name="added">At most <see cref="PresenceBatches.MaxWatched"/>.</param>
    /// <param name="removed">At most <see cref="PresenceBatches.MaxWatched"/>.</param>
    /// <param name="generation">The generation of the previous answer; 0 replaces all that the table has of this front end.</param>
    /// <returns>The changes of the added users within the last minute; generation 0, and nothing is changed, when an earlier call was lost.</returns>
    [Alias("UpdateAsync")]
    Task<WatchTableAnswer> UpdateAsync(
        string frontEndId, [Immutable] IFrontEndObserver frontEnd, [Immutable] Guid[] added, [Immutable] Guid[] removed, long generation);

    /// <summary>Keeps the front end in the table, which forgets a front end that has been silent for the lifetime of a key.</summary>
    /// <param name="frontEndId">The front-end process.</param>
    /// <param name="generation">The generation of the previous answer.</param>
    /// <param name="mark">The mark of the previous answer to this method; 0 the first time.</param>
    /// <returns>The changes of its users since that mark, because messages may have been lost; generation 0 when an earlier call was lost.</returns>
    [Alias("RenewAsync")]
    Task<WatchTableAnswer> RenewAsync(string frontEndId, long generation, long mark);

    /// <summary>Removes all that the table has of a front end that stops.</summary>
    [Alias("ForgetAsync")]
    Task ForgetAsync(string frontEndId);
}

/// <summary>What a silo's table answers to a front end.</summary>
[GenerateSerializer, Immutable, Alias("pulse.WatchTableAnswer")]
public sealed record WatchTableAnswer
{
    /// <summary>Grows with each update; 0 when the front end has to send all its users again.</summary>
    [Id(0)] public long Generation { get; init; }

    /// <summary>The latest snapshots of users who changed.</summary>
    [Id(1)] public PresenceSnapshot[] Changes { get; init; } = [];

    /// <summary>Names the latest of all changes in this table, for the next renewal.</summary>
    [Id(2)] public long Mark { get; init; }
}
