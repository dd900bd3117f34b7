using Microsoft.AspNetCore.SignalR;

namespace Pulse.Web.Conversations;

/// <summary>The chat's part of one socket: which conversations it has open, and what is written to it.</summary>
/// <remarks>
/// One write is under way at a time, so what waits for a client that reads slowly is a position in each open conversation, and no message. Entries of one
/// conversation are written in the order of its log. Messages that may be lost are written only while nothing waits.
/// </remarks>
/// <param name="socket">SignalR's connection.</param>
/// <param name="userId">The user.</param>
/// <param name="isEnding">Whether the server closes the socket: the client has been sent its last message.</param>
internal sealed class ChatSocket(HubConnectionContext socket, Guid userId, Func<bool> isEnding)
{
    /// <summary>How many conversations one socket may have open.</summary>
    public const int MaxOpen = 50;

    private readonly Lock _lock = new();

    // Each cursor at most once; bounded by the number of open conversations.
    private readonly Queue<OpenConversation.Cursor> _due = [];
    private readonly Queue<SerializedHubMessage> _notices = [];
    private bool _isWriting;
    private bool _isClosed;

    /// <summary>The user.</summary>
    public Guid UserId => userId;

    /// <summary>The conversations that this socket has open. Guarded by itself.</summary>
    public Dictionary<Guid, OpenConversation> Open { get; } = [];

    /// <summary>Whether the socket is gone.</summary>
    public bool IsClosed => Volatile.Read(ref _isClosed);

    /// <summary>Writes what follows the cursor, now or once the client has read what came before.</summary>
    public void Write(OpenConversation.Cursor cursor)
    {
        lock (_lock)
        {
            if (_isClosed || cursor.IsDue) return;
            cursor.IsDue = true;
            _due.Enqueue(cursor);
            if (_isWriting) return;
            _isWriting = true;
        }

        _ = WriteAllAsync();
    }

    /// <summary>Writes a message that must not be lost.</summary>
    public void Write(SerializedHubMessage notice)
    {
        lock (_lock)
        {
            if (_isClosed) return;
            _notices.Enqueue(notice);
            if (_isWriting) return;
            _isWriting = true;
        }

        _ = WriteAllAsync();
    }

    /// <summary>Writes a message if nothing waits for the client; drops it otherwise.</summary>
    public void WriteIfIdle(SerializedHubMessage message)
    {
        lock (_lock)
        {
            if (_isClosed || _isWriting) return;
        }

        Write(message);
    }

    /// <summary>Writes nothing any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            _due.Clear();
            _notices.Clear();
        }
    }

    private async Task WriteAllAsync()
    {
        while (Next() is { } message)
        {
            // Never throws: SignalR closes a connection that cannot be written to.
            await socket.WriteAsync(message);
        }
    }

    private SerializedHubMessage? Next()
    {
        while (true)
        {
            OpenConversation.Cursor cursor;
            lock (_lock)
            {
                if (isEnding()) _isClosed = true;
                if (!_isClosed && _notices.TryDequeue(out var notice)) return notice;
                if (_isClosed || !_due.TryDequeue(out cursor!))
                {
                    _isWriting = false;
                    return null;
                }

                cursor.IsDue = false;
            }

            // Outside of this lock: the conversation's own lock is taken, and its holder may write to this socket.
            if (cursor.Take(out var more) is not { } entries) continue;
            if (more) Requeue(cursor);
            return entries;
        }
    }

    private void Requeue(OpenConversation.Cursor cursor)
    {
        lock (_lock)
        {
            if (_isClosed || cursor.IsDue) return;
            cursor.IsDue = true;
            _due.Enqueue(cursor);
        }
    }
}
