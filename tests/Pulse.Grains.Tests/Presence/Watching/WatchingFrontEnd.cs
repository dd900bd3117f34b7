using System.Collections.Concurrent;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Grains.Tests.Presence.Watching;

/// <summary>A watching front end, over a network that may lose, delay, reorder and repeat the grains' messages.</summary>
internal sealed class WatchingFrontEnd : IFrontEndObserver
{
    private readonly IGrainFactory _grains;
    private readonly IFrontEndObserver _reference;
    private readonly ConcurrentDictionary<Guid, PresenceSnapshot?> _watched = new();
    private readonly ConcurrentBag<PresenceSnapshot> _accepted = [];
    private readonly ConcurrentBag<PresenceSnapshot> _sent = [];
    private readonly ConcurrentStack<PresenceSnapshot> _held = new();
    private readonly Lock _gate = new();

    public WatchingFrontEnd(IClusterClient client)
    {
        _grains = client;
        _reference = client.CreateObjectReference<IFrontEndObserver>(this);
    }

    public enum Network
    {
        Works,
        Loses,
        Holds,
    }

    /// <summary>A new process has a new id.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    public IFrontEndObserver Reference => _reference;

    public Network State { get; private set; }

    public ICollection<Guid> Watched => _watched.Keys;

    /// <summary>All snapshots that this front end has accepted at some time.</summary>
    public IReadOnlyCollection<PresenceSnapshot> Accepted => _accepted;

    /// <summary>All snapshots that any grain has sent or answered to this front end, whatever the network did with them.</summary>
    public IReadOnlyCollection<PresenceSnapshot> Sent => _sent;

    public PresenceSnapshot? Known(Guid userId) => _watched.GetValueOrDefault(userId);

    public Task WatchAsync(Guid userId)
    {
        _watched.TryAdd(userId, null);
        return RefreshAsync(userId);
    }

    public Task UnwatchAsync(Guid userId)
    {
        _watched.TryRemove(userId, out _);
        return _grains.GetGrain<IUserGrain>(userId).UnwatchAsync(_reference);
    }

    public async Task RefreshAsync(Guid userId)
    {
        var answer = await _grains.GetGrain<IUserGrain>(userId).WatchAsync(_reference, Known(userId)?.Version ?? 0);
        _sent.Add(answer);
        Take(answer);
    }

    /// <summary>Asks like a client that does not watch.</summary>
    public async Task LookAsync(Guid userId) => _sent.Add(await _grains.GetGrain<IUserGrain>(userId).GetPresenceAsync());

    /// <summary>Delayed messages arrive when the network works again, latest first, and twice.</summary>
    public void Turn(Network state)
    {
        State = state;
        if (state == Network.Holds) return;
        PresenceSnapshot[] late = [.. _held];
        _held.Clear();
        if (state == Network.Loses) return;
        foreach (var snapshot in late.Concat(late)) Take(snapshot);
    }

    public Task PresenceChanged(PresenceSnapshot presence)
    {
        _sent.Add(presence);
        if (State == Network.Works) Take(presence);
        else if (State == Network.Holds) _held.Push(presence);
        return Task.CompletedTask;
    }

    public Task CloseConnectionsAsync(string[] connectionIds, CloseReason reason) => Task.CompletedTask;

    // As the real front end does: the highest version counts, and a provisional one only if the user is unknown.
    private void Take(PresenceSnapshot presence)
    {
        lock (_gate)
        {
            if (!_watched.TryGetValue(presence.UserId, out var known)) return;
            if (known is not null && (presence.Version <= known.Version || presence.IsProvisional)) return;
            _watched[presence.UserId] = presence;
            _accepted.Add(presence);
        }
    }
}
