using Microsoft.AspNetCore.SignalR;

namespace Pulse.Web.Connections;

/// <summary>Outbox of one socket: keeps only the newest change of each watched user, however slowly the client reads.</summary>
/// <remarks>
/// One write runs at a time. SignalR would queue every message, and a send to its groups completes only when the slowest client has read.
/// </remarks>
internal sealed class Outbox(HubConnectionContext socket)
{
    private readonly Lock _lock = new();
    private OrderedDictionary<Guid, SerializedHubMessage>? _waiting;
    private bool _isWriting;
    private bool _isStopped;

    /// <summary>Sends a change, now or once the client has read the previous one. Returns at once.</summary>
    public void Enqueue(Guid userId, SerializedHubMessage change)
    {
        lock (_lock)
        {
            if (_isStopped) return;
            if (_isWriting)
            {
                // A newer change keeps the place of the older one, so that a user with many changes waits as long as the other users.
                (_waiting ??= [])[userId] = change;
                return;
            }

            // Never throws, because SignalR closes a connection that cannot be written to.
            var write = socket.WriteAsync(change);
            if (write.IsCompletedSuccessfully) return;
            _isWriting = true;
            _ = WriteRestAsync(write);
        }
    }

    /// <summary>Discards queued changes about this user.</summary>
    public void Discard(Guid userId)
    {
        lock (_lock) _waiting?.Remove(userId);
    }

    /// <summary>Discards all queued and later changes.</summary>
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
