using Pulse.Grains.Storage;

namespace Pulse.Grains.Presence;

/// <summary>The column <c>users.last_seen</c>.</summary>
internal interface ILastSeenStore
{
    /// <summary>Reads lastSeen of all these users in one statement. The result omits users whose row or lastSeen is missing.</summary>
    Task<IReadOnlyDictionary<Guid, DateTimeOffset>> FindLastSeenAsync(IReadOnlyCollection<Guid> userIds, CancellationToken cancellationToken = default);

    /// <summary>
    /// Moves lastSeen of all these users forward in one statement. A later stored value is kept, and users that lack a row are skipped.
    /// </summary>
    /// <param name="seen">At most one entry per user.</param>
    /// <param name="limits">Time limits of the statement.</param>
    /// <returns>The users whose rows another session has locked. Their lastSeen is unchanged.</returns>
    /// <exception cref="BatchBlockedException">The statement exceeded its limits, so all rows are unchanged.</exception>
    Task<IReadOnlySet<Guid>> SaveLastSeenAsync(IReadOnlyCollection<LastSeen> seen, BatchLimits limits);
}

/// <summary>A user's lastSeen, UTC.</summary>
internal readonly record struct LastSeen(Guid UserId, DateTimeOffset At);
