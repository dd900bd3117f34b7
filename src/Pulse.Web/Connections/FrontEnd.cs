using System.Collections.Concurrent;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Silos;

namespace Pulse.Web.Connections;

/// <summary>The live sockets of this process, and what their users' grains are told about them.</summary>
internal sealed partial class FrontEnd(
    GrainReferences<IUserGrain> users, FrontEndReference reference, TimeProvider time, ILogger<FrontEnd> logger)
{
    /// <summary>Into how many parts the users are divided for <see cref="LeaseRenewalService"/>.</summary>
    public const int RenewalSlots = 60;

    private readonly ConcurrentDictionary<string, LiveConnection> _connections = new();

    // The same connections by slot: a look at one slot does not copy them all.
    private readonly ConcurrentDictionary<string, LiveConnection>[] _slots = [.. Enumerable.Range(0, RenewalSlots).Select(_ => new ConcurrentDictionary<string, LiveConnection>(1, 0))];

    // While no silo can be reached no socket is taken on either: there are never more of these than there were sockets.
    private static readonly TimeSpan UntoldEndsKeptFor = TimeSpan.FromMinutes(10);

    private const int EndsToldAtOnce = 128;

    private readonly ConcurrentQueue<(Guid UserId, ConnectionLease Lease, ConnectionEnd How)> _untoldEnds = new();
    private int _retrying;

    // A revoked session's sockets close within a second: a client that reads has been told by then, and one that does not is cut off.
    private static readonly TimeSpan TimeToTell = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan TimeToClose = TimeSpan.FromMilliseconds(300);

    /// <summary>Tells leases of this process from those of others and of earlier runs.</summary>
    public string Id { get; } = Guid.CreateVersion7().ToString("N");

    /// <summary>Live sockets. Read without a copy, while connections begin and end.</summary>
    public IEnumerable<LiveConnection> Connections => _connections.Select(connection => connection.Value);

    /// <summary>Live sockets of the users of one renewal slot.</summary>
    public ICollection<LiveConnection> ConnectionsOf(int slot) => _slots[slot].Values;

    /// <summary>How many there are; cheaper than counting them.</summary>
    public int Count => _connections.Count;

    /// <summary>Takes the lease of a new socket; the user is online once this returns.</summary>
    /// <param name="connection">The socket.</param>
    /// <param name="previousConnectionId">The client's former connection, which this one replaces; <see langword="null"/> for none.</param>
    public async Task ConnectAsync(LiveConnection connection, string? previousConnectionId)
    {
        // Known before the grain is asked: a renewal meanwhile does no harm, a socket without renewal would.
        _connections[connection.ConnectionId] = connection;
        SlotOf(connection)[connection.ConnectionId] = connection;
        try
        {
            // The former connection is named to the caller's own grain, which knows that user's connections and no others: a client cannot
            // end the connection of another user, whatever id it sends. Renewals do not repeat it, because the grain has ended that
            // connection by then.
            var lease = connection.ToLease(Id, connection.ConnectedAt);
            if (previousConnectionId is not null) lease = lease with { PreviousConnectionId = previousConnectionId };
            await users[connection.UserId].ConnectAsync(lease, reference.Value);
        }
        catch
        {
            // SignalR reports no disconnect for a connection whose start failed, and the grain may have taken the lease all the same.
            await DisconnectAsync(connection, time.GetUtcNow(), ConnectionEnd.Closed);
            throw;
        }
    }

    /// <summary>Tells the grain at once what the client on this socket chose to show.</summary>
    public Task UpdateAsync(LiveConnection connection) =>
        // The call may be one that outlives its socket.
        _connections.ContainsKey(connection.ConnectionId)
            ? users[connection.UserId].RenewAsync([connection.ToLease(Id, time.GetUtcNow())], reference.Value)
            : Task.CompletedTask;

    /// <summary>Ends the lease of a socket that is gone. Never throws: what no grain takes now is told later.</summary>
    /// <param name="connection">The socket.</param>
    /// <param name="seenAt">When it was last known to live, UTC.</param>
    /// <param name="how">Whether the user meant to leave.</param>
    public Task DisconnectAsync(LiveConnection connection, DateTimeOffset seenAt, ConnectionEnd how)
    {
        _connections.TryRemove(connection.ConnectionId, out _);
        SlotOf(connection).TryRemove(connection.ConnectionId, out _);
        return EndAsync(connection.UserId, connection.ToLease(Id, seenAt), how);
    }

    /// <summary>Tells a client that its token is about to run out; once for each token.</summary>
    public Task WarnAsync(LiveConnection connection, DateTimeOffset now)
    {
        connection.IsToldOfExpiry = true;
        return connection.SendAsync(
            nameof(IConnectionClient.TokenExpiring), new TokenExpiringMessage((int)(connection.TokenExpiresAt - now).TotalSeconds));
    }

    /// <summary>
    /// Closes a socket, after the client has been told why. At once no call of the client is taken any more; a second later, whether it reads or
    /// not, the socket is gone. Never throws.
    /// </summary>
    public async Task CloseAsync(LiveConnection connection, SessionEndedMessage because)
    {
        if (!connection.TryEnd(because)) return;
        try
        {
            await connection.SendAsync(nameof(IConnectionClient.SessionEnded), because).WaitAsync(TimeToTell, time);
        }
        catch (Exception e)
        {
            LogEndingUntold(e.GetType().Name);
        }

        connection.Close();

        // SignalR ends a connection after the last write to it, and a client that reads a byte now and then could put that off for ever.
        await Task.Delay(TimeToClose, time);
        if (_connections.ContainsKey(connection.ConnectionId)) connection.CutOff();
    }

    /// <summary>Begins to close those of the sockets that are here.</summary>
    public void Close(IEnumerable<string> connectionIds, SessionEndedMessage because)
    {
        foreach (var id in connectionIds)
        {
            if (_connections.TryGetValue(id, out var connection)) _ = CloseAsync(connection, because);
        }
    }

    /// <summary>Renews the leases of one user's sockets here: SignalR's own pings vouch that each still lives.</summary>
    public async Task RenewAsync(IGrouping<Guid, LiveConnection> connections)
    {
        var now = time.GetUtcNow();

        // One that has closed since the snapshot is left out; its end may not have reached the grain yet.
        var leases = connections.Where(c => _connections.ContainsKey(c.ConnectionId)).Select(c => c.ToLease(Id, now)).ToArray();
        if (leases.Length == 0) return;
        try
        {
            await users[connections.Key].RenewAsync(leases, reference.Value);
        }
        catch (Exception e)
        {
            // The next renewal comes before the lease runs out.
            LogRenewalFailed(e.GetType().Name);
        }
    }

    /// <summary>
    /// Begins to report again, once each, the ends that no grain took. Their leases may have expired: what counts then is when the user was last seen. Waits for
    /// none of them, because a silo that does not answer must not hold up the ends of other silos' users.
    /// </summary>
    public void RetryEnds()
    {
        for (var count = _untoldEnds.Count; count > 0 && Volatile.Read(ref _retrying) < EndsToldAtOnce && _untoldEnds.TryDequeue(out var end); count--)
        {
            if (end.Lease.SeenAt + UntoldEndsKeptFor <= time.GetUtcNow()) continue;
            Interlocked.Increment(ref _retrying);
            _ = RetryEndAsync(end.UserId, end.Lease, end.How);
        }
    }

    private async Task RetryEndAsync(Guid userId, ConnectionLease lease, ConnectionEnd how)
    {
        await EndAsync(userId, lease, how);
        Interlocked.Decrement(ref _retrying);
    }

    private ConcurrentDictionary<string, LiveConnection> SlotOf(LiveConnection connection) =>
        _slots[(uint)connection.UserId.GetHashCode() % RenewalSlots];

    private async Task EndAsync(Guid userId, ConnectionLease lease, ConnectionEnd how)
    {
        try
        {
            await users[userId].DisconnectAsync(lease, how);
        }
        catch (Exception e)
        {
            _untoldEnds.Enqueue((userId, lease, how));
            LogEndUntold(e.GetType().Name);
        }
    }

    [LoggerMessage(2100, LogLevel.Debug, "A user's leases were not renewed ({Reason}); the next renewal tries again.")]
    private partial void LogRenewalFailed(string reason);

    [LoggerMessage(2101, LogLevel.Debug, "A connection's end did not reach its grain ({Reason}); it is told again soon.")]
    private partial void LogEndUntold(string reason);

    [LoggerMessage(2102, LogLevel.Debug, "A client could not be told why its socket closes ({Reason}).")]
    private partial void LogEndingUntold(string reason);
}
