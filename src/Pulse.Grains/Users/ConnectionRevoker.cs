using Microsoft.Extensions.Logging;
using Pulse.Grains.Presence;
using Pulse.Presence;

namespace Pulse.Grains.Users;

/// <summary>
/// The front ends that hold a user's sockets. Asks them to close the sockets of ended sessions and the sockets above the limit.
/// </summary>
internal sealed partial class ConnectionRevoker(ConnectionLeases leases, TimeProvider time, ILogger logger)
{
    // Longest time that a grain turn waits for front ends. A killed front end would otherwise block the turn until Orleans' response
    // timeout.
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, IFrontEndObserver> _frontEnds = [];

    // Maps each ended session to the time until which it is remembered. Null for nearly all users.
    private Dictionary<Guid, DateTimeOffset>? _endedSessions;

    /// <summary>Whether the set of front ends and the set of remembered sessions are both empty.</summary>
    public bool IsEmpty => _frontEnds.Count == 0 && _endedSessions is not { Count: > 0 };

    /// <summary>Records that this front end holds a socket of the user.</summary>
    public void Add(string frontEndId, IFrontEndObserver frontEnd)
    {
        _frontEnds[frontEndId] = frontEnd;

        // A restarted front end has a new id, and a user may stay online across many restarts.
        if (_frontEnds.Count > leases.Count) RemoveFrontEndsWithoutLease();
    }

    /// <summary>Removes all front ends.</summary>
    public void Clear() => _frontEnds.Clear();

    /// <summary>Closes a socket that the same client has replaced with a new one, mostly because its network broke unnoticed.</summary>
    public Task CloseReplacedAsync(ConnectionLease replaced) => CloseAsync([replaced], CloseReason.Replaced);

    /// <summary>Closes that many of the oldest sockets.</summary>
    public Task CloseOldestAsync(int count) => CloseAsync(leases.Live.OrderBy(live => live.ConnectedAt).Take(count), CloseReason.TooManyConnections);

    /// <summary>Revokes these sessions: existing and new sockets of them are closed until the given time.</summary>
    public void RevokeSessions(Guid[] endedSessions, DateTimeOffset until)
    {
        foreach (var sessionId in endedSessions) (_endedSessions ??= [])[sessionId] = until;
    }

    /// <summary>Closes the sockets of ended sessions.</summary>
    /// <param name="ofFrontEnd">The front end that has just called. Other front ends are notified when they call. <see langword="null"/>
    /// for all.</param>
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

    private void RemoveFrontEndsWithoutLease()
    {
        var holders = leases.Live.Select(live => live.FrontEndId).ToHashSet(StringComparer.Ordinal);
        foreach (var frontEndId in _frontEnds.Keys)
        {
            if (!holders.Contains(frontEndId)) _frontEnds.Remove(frontEndId);
        }
    }

    /// <summary>Closes these sockets and waits at most one second for their front ends.</summary>
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
            // A killed front end with unexpired leases must delay neither the other front ends nor other calls to this user.
            await Task.WhenAll(closing).WaitAsync(s_closeTimeout, time);
        }
        catch (TimeoutException)
        {
            LogCloseSlow(s_closeTimeout.TotalSeconds);
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
            // The sockets of a stopped front end are closed already. A slow front end is notified again at its next renewal.
            LogCloseFailed(e.GetType().Name);
        }
    }

    [LoggerMessage(1210, LogLevel.Debug, "A front end did not close its sockets ({Reason}).")]
    private partial void LogCloseFailed(string reason);

    [LoggerMessage(1211, LogLevel.Debug, "Front ends are still closing sockets after {Seconds} s; the user's grain no longer waits.")]
    private partial void LogCloseSlow(double seconds);
}
