using System.Collections.Concurrent;

namespace Pulse.Web.Conversations;

/// <summary>The sockets of this front end by user.</summary>
internal sealed class ChatSockets
{
    private readonly ConcurrentDictionary<Guid, ChatSocket[]> _byUser = new();
    private int _count;

    /// <summary>How many sockets there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The sockets of a user.</summary>
    public IReadOnlyList<ChatSocket> Of(Guid userId) => _byUser.GetValueOrDefault(userId, []);

    /// <summary>Adds a socket.</summary>
    public void Add(ChatSocket socket)
    {
        _byUser.AddOrUpdate(socket.UserId, static (_, added) => [added], static (_, sockets, added) => [.. sockets, added], socket);
        Interlocked.Increment(ref _count);
    }

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
