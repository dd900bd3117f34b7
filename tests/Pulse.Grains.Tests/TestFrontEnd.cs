using System.Collections.Concurrent;
using Pulse.Presence;

namespace Pulse.Grains.Tests;

/// <summary>Replaces a front end, and records the messages of grains.</summary>
internal sealed class TestFrontEnd : IFrontEndObserver
{
    private readonly ConcurrentQueue<PresenceSnapshot> _changes = new();
    private readonly ConcurrentQueue<(string ConnectionId, CloseReason Reason)> _closed = new();

    public PresenceSnapshot[] ChangesOf(Guid userId) => [.. _changes.Where(change => change.UserId == userId)];

    public (string ConnectionId, CloseReason Reason)[] ClosedOf(Guid userId) =>
        [.. _closed.Where(closed => closed.ConnectionId.StartsWith(userId.ToString("N"), StringComparison.Ordinal))];

    /// <summary>Waits until that many sockets of the user were closed. A grain waits for its front ends only one second.</summary>
    public Task ClosesAsync(Guid userId, int count) => Eventually.AsyncEqual(count, () => Task.FromResult(ClosedOf(userId).Length));

    public Task PresenceChanged(PresenceSnapshot presence)
    {
        _changes.Enqueue(presence);
        return Task.CompletedTask;
    }

    public Task CloseConnectionsAsync(string[] connectionIds, CloseReason reason)
    {
        foreach (var connectionId in connectionIds) _closed.Enqueue((connectionId, reason));
        return Task.CompletedTask;
    }
}
