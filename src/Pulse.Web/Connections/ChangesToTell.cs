using Microsoft.AspNetCore.SignalR;

namespace Pulse.Web.Connections;

/// <summary>What one socket is still to be told of the users that it watches: of each only the newest, however slowly its client reads.</summary>
/// <remarks>One write is under way at a time. SignalR would queue all that is handed to it; and a send to its groups ends when the slowest has read.</remarks>
internal sealed class ChangesToTell(HubConnectionContext socket)
{
    private readonly Lock _lock = new();
    private OrderedDictionary<Guid, SerializedHubMessage>? _waiting;
    private bool _isWriting;
    private bool _isStopped;

    /// <summary>Tells of a change, now or once the client has read what came before. Waits for nothing.</summary>
    public void Add(Guid userId, SerializedHubMessage change)
    {
        lock (_lock)
        {
            if (_isStopped) return;
            if (_isWriting)
            {
                // Keeps its place: one who changes all the time neither starves the others nor is starved.
                (_waiting ??= [])[userId] = change;
                return;
            }

            // Never throws: SignalR closes a connection that cannot be written to.
            var write = socket.WriteAsync(change);
            if (write.IsCompletedSuccessfully) return;
            _isWriting = true;
            _ = WriteRestAsync(write);
        }
    }

    /// <summary>Does not tell of this user any more.</summary>
    public void Remove(Guid userId)
    {
        lock (_lock) _waiting?.Remove(userId);
    }

    /// <summary>Tells nothing any more.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isStopped = true;
            _waiting = null;
        }
    }

    private async Task WriteRestAsync(ValueTask write)
    {
        while (true)
        {
            await write;
            lock (_lock)
            {
                if (_waiting is not { Count: > 0 })
                {
                    _waiting = null;
                    _isWriting = false;
                    return;
                }

                write = socket.WriteAsync(_waiting.GetAt(0).Value);
                _waiting.RemoveAt(0);
            }
        }
    }
}
