using System.Collections.Concurrent;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Web.Presence;

/// <summary>The live sockets of this process, and what their users' grains are told about them.</summary>
internal sealed partial class FrontEnd(IGrainFactory grains, TimeProvider time, ILogger<FrontEnd> logger)
{
    private readonly ConcurrentDictionary<string, LiveConnection> _connections = new();

    // Ends that no grain took. Bounded: an entry is dropped once its lease has run out without it.
    private readonly ConcurrentQueue<(Guid UserId, ConnectionLease Lease)> _untoldEnds = new();

    /// <summary>Tells leases of this process from those of others and of earlier runs.</summary>
    public string Id { get; } = Guid.CreateVersion7().ToString("N");

    /// <summary>Live sockets, for metrics.</summary>
    public int Count => _connections.Count;

    /// <summary>Takes the lease of a new socket; the user is online once this returns.</summary>
    public async Task ConnectAsync(LiveConnection connection)
    {
        // Known before the grain is asked: a renewal meanwhile does no harm, a socket without renewal would.
        _connections[connection.ConnectionId] = connection;
        try
        {
            await grains.GetGrain<IUserGrain>(connection.UserId).ConnectAsync(connection.ToLease(Id, time.GetUtcNow()));
        }
        catch
        {
            // SignalR reports no disconnect for a connection whose start failed, and the grain may have taken the lease all the same.
            await DisconnectAsync(connection, time.GetUtcNow());
            throw;
        }
    }

    /// <summary>Ends the lease of a socket that is gone. Never throws: what no grain takes now is told with the next renewals.</summary>
    /// <param name="connection">The socket.</param>
    /// <param name="seenAt">When it was last known to live, UTC.</param>
    public Task DisconnectAsync(LiveConnection connection, DateTimeOffset seenAt)
    {
        _connections.TryRemove(connection.ConnectionId, out _);
        return EndAsync(connection.UserId, connection.ToLease(Id, seenAt));
    }

    /// <summary>The live sockets by user, as of now.</summary>
    public IEnumerable<IGrouping<Guid, LiveConnection>> ByUser() => _connections.Values.GroupBy(connection => connection.UserId);

    /// <summary>Renews the leases of one user's sockets here: SignalR's own pings vouch that each still lives.</summary>
    public async Task RenewAsync(IGrouping<Guid, LiveConnection> connections)
    {
        var now = time.GetUtcNow();

        // One that has closed since the snapshot is left out; its end may not have reached the grain yet.
        var leases = connections.Where(c => _connections.ContainsKey(c.ConnectionId)).Select(c => c.ToLease(Id, now)).ToArray();
        if (leases.Length == 0) return;
        try
        {
            await grains.GetGrain<IUserGrain>(connections.Key).RenewAsync(leases);
        }
        catch (Exception e)
        {
            // The next renewal comes before the lease runs out.
            LogRenewalFailed(e.GetType().Name);
        }
    }

    /// <summary>Tries again to tell the ends that no grain took, unless their lease has run out by now.</summary>
    public async Task TellEndsAsync(TimeSpan leaseDuration)
    {
        for (var left = _untoldEnds.Count; left > 0 && _untoldEnds.TryDequeue(out var end); left--)
        {
            if (end.Lease.SeenAt + leaseDuration > time.GetUtcNow()) await EndAsync(end.UserId, end.Lease);
        }
    }

    private async Task EndAsync(Guid userId, ConnectionLease lease)
    {
        try
        {
            await grains.GetGrain<IUserGrain>(userId).DisconnectAsync(lease);
        }
        catch (Exception e)
        {
            _untoldEnds.Enqueue((userId, lease));
            LogEndUntold(e.GetType().Name);
        }
    }

    [LoggerMessage(2100, LogLevel.Debug, "A user's leases were not renewed ({Reason}); the next renewal tries again.")]
    private partial void LogRenewalFailed(string reason);

    [LoggerMessage(2101, LogLevel.Debug, "A connection's end did not reach its grain ({Reason}); it is told again with the next renewals.")]
    private partial void LogEndUntold(string reason);
}
