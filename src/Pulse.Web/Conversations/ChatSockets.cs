using System.Collections.Concurrent;

namespace Pulse.Web.Conversations;

/// <summary>The sockets of this front end by user.</summary>
internal sealed class ChatSockets : IDisposable
{
    private readonly ConcurrentDictionary<Guid, ChatSocket[]> _byUser = new();
    private readonly SemaphoreSlim _first = new(0, 1);
    private int _count;

    /// <summary>How many sockets there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The most bytes that are kept for one socket whose client reads slowly.</summary>
    public long MostWaitingBytes => _byUser.Values.Max(static sockets => (long?)sockets.Max(static socket => socket.WaitingBytes)) ?? 0;

    /// <summary>The sockets of a user.</summary>
    public IReadOnlyList<ChatSocket> Of(Guid userId) => _byUser.GetValueOrDefault(userId, []);

    /// <summary>Adds a socket.</summary>
    public void Add(ChatSocket socket)
    {
        _byUser.AddOrUpdate(socket.UserId, static (_, added) => [added], static (_, sockets, added) => [.. sockets, added], socket);
        if (Interlocked.Increment(ref _count) != 1) return;
        lock (_first)
        {
            if (_first.CurrentCount == 0) _first.Release();
        }
    }

    /// <summary>Waits until this front end has sockets again after it had none, for at most that time.</summary>
    public Task FirstAsync(TimeSpan atMost, CancellationToken cancellationToken) => _first.WaitAsync(atMost, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _first.Dispose();

    /// <summary>Removes a socket.</summary>
    public void Remove(ChatSocket socket)
    {
        while (_byUser.TryGetValue(socket.UserId, out var sockets))
        {
            var rest = Array.FindAll(sockets, other => other != socket);
            if (rest.Length == sockets.Length) return;
            var isRemoved = rest.Length == 0
                ? _byUser.TryRemove(new(socket.UserId, sockets))
                : _byUser.TryUpdate(socket.UserId, rest, sockets);
            if (!isRemoved) continue;
            Interlocked.Decrement(ref _count);
            return;
        }
    }
}
