using System.Collections.Concurrent;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Silos;

namespace Pulse.Web.Connections;

/// <summary>The live sockets of this process, and the calls about them to their users' grains.</summary>
internal sealed partial class ConnectionRegistry(
    GrainReferences<IUserGrain> users, FrontEndReference reference, TimeProvider time, ILogger<ConnectionRegistry> logger)
{
    /// <summary>Number of parts into which the users are divided for <see cref="LeaseRenewalService"/>.</summary>
    public const int RenewalSlots = 60;

    private readonly ConcurrentDictionary<string, LiveConnection> _connections = new();

    // The same connections by slot, so that reading one slot does not copy them all.
    private readonly ConcurrentDictionary<string, LiveConnection>[] _slots = [.. Enumerable.Range(0, RenewalSlots).Select(_ => new ConcurrentDictionary<string, LiveConnection>(1, 0))];

    // The queue is bounded by the number of open sockets, because no new ones are accepted while silos are unreachable.
    private static readonly TimeSpan s_disconnectRetention = TimeSpan.FromMinutes(10);

    private const int DisconnectRetryParallelism = 128;

    private readonly ConcurrentQueue<(Guid UserId, ConnectionLease Lease, ConnectionEnd How)> _pendingDisconnects = new();
    private int _retrying;

    // A revoked session's sockets close within a second. A client that reads has received the reason by then, and any other client is cut
    // off.
    private static readonly TimeSpan s_notifyTimeout = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromMilliseconds(300);

    /// <summary>Distinguishes leases of this process from those of other processes and of earlier runs.</summary>
    public string Id { get; } = Guid.CreateVersion7().ToString("N");

    /// <summary>Live sockets. Read without a copy while connections begin and end.</summary>
    public IEnumerable<LiveConnection> Connections => _connections.Select(connection => connection.Value);

    /// <summary>Live sockets of the users of one renewal slot.</summary>
    public ICollection<LiveConnection> ConnectionsOf(int slot) => _slots[slot].Values;

    /// <summary>The number of live sockets. Cheaper than counting <see cref="Connections"/>.</summary>
    public int Count => _connections.Count;

    /// <summary>Takes the lease of a new socket. The user is online when the call returns.</summary>
    /// <param name="connection">The socket.</param>
    /// <param name="previousConnectionId">The client's former connection, which this one replaces, or <see langword="null"/>.</param>
    public async Task ConnectAsync(LiveConnection connection, string? previousConnectionId)
    {
        // Registered before the grain call: a renewal meanwhile is harmless, but a socket without renewals would lose its lease.
        _connections[connection.ConnectionId] = connection;
        SlotOf(connection)[connection.ConnectionId] = connection;
        try
        {
            // The former connection is sent to the caller's own grain, which knows only that user's connections. A client therefore cannot
            // end the connection of another user, whatever id it sends. Renewals omit it, because the grain has ended that connection by
            // then.
            var lease = connection.ToLease(Id, connection.ConnectedAt);
            if (previousConnectionId is not null) lease = lease with { PreviousConnectionId = previousConnectionId };
            await users[connection.UserId].ConnectAsync(lease, reference.Value);
        }
        catch (UserRefusedException)
        {
            // The grain has taken nothing.
            Remove(connection);
            throw;
        }
        catch
        {
            // SignalR reports no disconnect for a connection whose start failed, and the grain may have taken the lease despite the
            // failure. The client tries again, and may have been connected just before.
            await DisconnectAsync(connection, time.GetUtcNow(), ConnectionEnd.Dropped);
            throw;
        }
    }

    /// <summary>Sends the client's new status to the grain at once.</summary>
    public Task UpdateAsync(LiveConnection connection) =>
        // The call may outlive its socket.
        _connections.ContainsKey(connection.ConnectionId)
            ? users[connection.UserId].RenewAsync([connection.ToLease(Id, time.GetUtcNow())], reference.Value)
            : Task.CompletedTask;

    /// <summary>Ends the lease of a closed socket. Never throws: a report that fails now is retried later.</summary>
    /// <param name="connection">The socket.</param>
    /// <param name="seenAt">Latest time at which the socket was known to be live, UTC.</param>
    /// <param name="how">Whether the user disconnected on purpose.</param>
    public Task DisconnectAsync(LiveConnection connection, DateTimeOffset seenAt, ConnectionEnd how)
    {
        Remove(connection);
        return EndAsync(connection.UserId, connection.ToLease(Id, seenAt), how);
    }

    private void Remove(LiveConnection connection)
    {
        _connections.TryRemove(connection.ConnectionId, out _);
        SlotOf(connection).TryRemove(connection.ConnectionId, out _);
    }

    /// <summary>Warns a client that its token is about to expire, once for each token.</summary>
    public Task WarnAsync(LiveConnection connection, DateTimeOffset now)
    {
        // The next check warns a client that still waits for its first message.
        if (!connection.IsGreeted) return Task.CompletedTask;
        connection.IsWarnedOfExpiry = true;
        return connection.SendAsync(
            nameof(IConnectionClient.TokenExpiring), new TokenExpiringMessage((int)(connection.TokenExpiresAt - now).TotalSeconds));
    }

    /// <summary>
    /// Closes a socket after the client has been sent <c>Connected</c> and the reason. From now on the client's calls are refused. A second
    /// later the socket is closed, even if the client does not read. Never throws.
    /// </summary>
    public async Task CloseAsync(LiveConnection connection, SessionEndedMessage because)
    {
        if (connection.TryEnd(because)) await CloseGreetedAsync(connection);
    }

    /// <summary>The client was sent its first message, and may be sent others from now on. Never throws.</summary>
    public Task GreetedAsync(LiveConnection connection)
    {
        connection.IsGreeted = true;
        return CloseGreetedAsync(connection);
    }

    /// <summary>Begins to close those of the sockets that this process holds.</summary>
    public void Close(IEnumerable<string> connectionIds, SessionEndedMessage because)
    {
        foreach (var id in connectionIds)
        {
            if (_connections.TryGetValue(id, out var connection)) _ = CloseAsync(connection, because);
        }
    }

    /// <summary>Renews the leases of one user's sockets here. SignalR's own pings prove that each is live.</summary>
    public async Task RenewAsync(IGrouping<Guid, LiveConnection> connections)
    {
        var now = time.GetUtcNow();

        // A connection that has closed since the snapshot is left out, because its end may not have reached the grain yet.
        var leases = connections.Where(c => _connections.ContainsKey(c.ConnectionId)).Select(c => c.ToLease(Id, now)).ToArray();
        if (leases.Length == 0) return;
        try
        {
            await users[connections.Key].RenewAsync(leases, reference.Value);
        }
        catch (Exception e)
        {
            // The next renewal comes before the lease expires.
            LogRenewalFailed(e.GetType().Name);
        }
    }

    /// <summary>
    /// Begins to retry each pending disconnect once. Their leases may have expired, and only the reported lastSeen then matters. The call
    /// returns at once, otherwise an unresponsive silo would delay the disconnects of other silos' users.
    /// </summary>
    public void RetryDisconnects()
    {
        for (var count = _pendingDisconnects.Count; count > 0 && Volatile.Read(ref _retrying) < DisconnectRetryParallelism && _pendingDisconnects.TryDequeue(out var end); count--)
        {
            if (end.Lease.SeenAt + s_disconnectRetention <= time.GetUtcNow()) continue;
            Interlocked.Increment(ref _retrying);
            _ = RetryDisconnectAsync(end.UserId, end.Lease, end.How);
        }
    }

    private async Task RetryDisconnectAsync(Guid userId, ConnectionLease lease, ConnectionEnd how)
    {
        await EndAsync(userId, lease, how);
        Interlocked.Decrement(ref _retrying);
    }

    private async Task CloseGreetedAsync(LiveConnection connection)
    {
        if (!connection.TryClose()) return;
        try
        {
            await connection.SendAsync(nameof(IConnectionClient.SessionEnded), connection.EndedBecause!).WaitAsync(s_notifyTimeout, time);
        }
        catch (Exception e)
        {
            LogNotifyFailed(e.GetType().Name);
        }

        connection.Close();

        // SignalR ends a connection after the last write to it, and a client that reads a byte now and then could delay that for ever.
        await Task.Delay(s_closeTimeout, time);
        if (_connections.ContainsKey(connection.ConnectionId)) connection.CutOff();
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
            _pendingDisconnects.Enqueue((userId, lease, how));
            LogDisconnectPending(e.GetType().Name);
        }
    }

    [LoggerMessage(2100, LogLevel.Debug, "A user's leases were not renewed ({Reason}). The next renewal retries.")]
    private partial void LogRenewalFailed(string reason);

    [LoggerMessage(2101, LogLevel.Debug, "A disconnect did not reach its grain ({Reason}). It is retried soon.")]
    private partial void LogDisconnectPending(string reason);

    [LoggerMessage(2102, LogLevel.Debug, "A client could not be sent the reason why its socket closes ({Reason}).")]
    private partial void LogNotifyFailed(string reason);
}
