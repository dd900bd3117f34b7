using Microsoft.Extensions.Logging;
using Pulse.Grains.Presence;
using Pulse.Presence;

namespace Pulse.Grains.Users;

/// <summary>The front ends that hold a user's sockets: has them close the sockets of ended sessions, and those that are too many.</summary>
internal sealed partial class SocketHolders(ConnectionLeases leases, TimeProvider time, ILogger logger)
{
    // Of the user's turn: a front end that was killed would take all of Orleans' response timeout.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, IFrontEndObserver> _frontEnds = [];

    // Until when each is remembered; null for nearly everybody.
    private Dictionary<Guid, DateTimeOffset>? _endedSessions;

    /// <summary>Whether no front end is known and no ended session is remembered.</summary>
    public bool IsEmpty => _frontEnds.Count == 0 && _endedSessions is not { Count: > 0 };

    /// <summary>This front end holds a socket of the user's.</summary>
    public void Add(string frontEndId, IFrontEndObserver frontEnd)
    {
        _frontEnds[frontEndId] = frontEnd;

        // Each restart of a front end gives it a new id, and a user may stay online over many of them.
        if (_frontEnds.Count > leases.Count) ForgetThoseWithoutLease();
    }

    /// <summary>No front end does.</summary>
    public void Clear() => _frontEnds.Clear();

    /// <summary>Closes a socket in whose place the same client has opened another: mostly one whose network broke unnoticed.</summary>
    public Task CloseReplacedAsync(ConnectionLease replaced) => CloseAsync([replaced], CloseReason.Replaced);

    /// <summary>Closes that many of the sockets that were connected first.</summary>
    public Task CloseOldestAsync(int count) => CloseAsync(leases.Live.OrderBy(live => live.ConnectedAt).Take(count), CloseReason.TooManyConnections);

    /// <summary>These sessions have ended: sockets of theirs are closed until then, also ones that are yet to come.</summary>
    public void Remember(Guid[] endedSessions, DateTimeOffset until)
    {
        foreach (var sessionId in endedSessions) (_endedSessions ??= [])[sessionId] = until;
    }

    /// <summary>Closes the sockets of ended sessions.</summary>
    /// <param name="ofFrontEnd">Of the one that has just been heard of; the others are told when they are. <see langword="null"/> for all.</param>
    public Task CloseEndedSessionsAsync(string? ofFrontEnd = null)
    {
        if (_endedSessions is null) return Task.CompletedTask;

        var now = time.GetUtcNow();
        foreach (var (sessionId, until) in _endedSessions)
        {
            if (until <= now) _endedSessions.Remove(sessionId);
        }

        return CloseAsync(
            leases.Live.Where(live => live.SessionId is { } id && _endedSessions.ContainsKey(id) && (ofFrontEnd is null || live.FrontEndId == ofFrontEnd)),
            CloseReason.SignedOut);
    }

    private void ForgetThoseWithoutLease()
    {
        var holders = leases.Live.Select(live => live.FrontEndId).ToHashSet(StringComparer.Ordinal);
        foreach (var frontEndId in _frontEnds.Keys)
        {
            if (!holders.Contains(frontEndId)) _frontEnds.Remove(frontEndId);
        }
    }

    /// <summary>Closes these sockets; waits for their front ends a second at most.</summary>
    public async Task CloseAsync(IEnumerable<ConnectionLease> connections, CloseReason reason)
    {
        var closing = new List<Task>();
        foreach (var held in connections.GroupBy(connection => connection.FrontEndId))
        {
            if (!_frontEnds.TryGetValue(held.Key, out var frontEnd)) continue;
            closing.Add(CloseAsync(frontEnd, [.. held.Select(connection => connection.ConnectionId)], reason));
        }

        if (closing.Count == 0) return;
        try
        {
            // One that was killed and whose leases still run must hold up neither the others nor whoever else asks for this user.
            await Task.WhenAll(closing).WaitAsync(Patience, time);
        }
        catch (TimeoutException)
        {
            LogCloseSlow(Patience.TotalSeconds);
        }
    }

    private async Task CloseAsync(IFrontEndObserver frontEnd, string[] connectionIds, CloseReason reason)
    {
        try
        {
            await frontEnd.CloseConnectionsAsync(connectionIds, reason);
        }
        catch (Exception e)
        {
            // A front end that is gone has no sockets; one that was slow is told again when it next renews.
            LogCloseFailed(e.GetType().Name);
        }
    }

    [LoggerMessage(1210, LogLevel.Debug, "A front end did not close its sockets ({Reason}).")]
    private partial void LogCloseFailed(string reason);

    [LoggerMessage(1211, LogLevel.Debug, "Front ends are still closing sockets after {Seconds} s; the user's grain goes on.")]
    private partial void LogCloseSlow(double seconds);
}
