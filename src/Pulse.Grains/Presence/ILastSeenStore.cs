using Pulse.Grains.Storage;

namespace Pulse.Grains.Presence;

/// <summary>The column <c>users.last_seen</c>.</summary>
internal interface ILastSeenStore
{
    /// <summary>lastSeen of those of these users who have a row and a lastSeen, in one statement for all.</summary>
    Task<IReadOnlyDictionary<Guid, DateTimeOffset>> FindLastSeenAsync(IReadOnlyCollection<Guid> userIds, CancellationToken cancellationToken = default);

    /// <summary>Moves lastSeen forward, never back, in one statement for all; a user without a row is passed over.</summary>
    /// <param name="seen">At most one entry per user.</param>
    /// <param name="limits">How long the statement may take.</param>
    /// <returns>The users whose rows are locked by another session; theirs is not written.</returns>
    /// <exception cref="BatchBlockedException">The statement took longer than its limits; nothing was written.</exception>
    Task<IReadOnlySet<Guid>> SaveLastSeenAsync(IReadOnlyCollection<LastSeen> seen, BatchLimits limits);
}

/// <summary>A user's lastSeen, UTC.</summary>
internal readonly record struct LastSeen(Guid UserId, DateTimeOffset At);
