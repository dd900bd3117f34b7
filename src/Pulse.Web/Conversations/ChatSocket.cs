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
/// <param name="inboxIsDue">Called with a conversation whose item in the inbox has to be read anew, because the client could not take it when it changed.</param>
internal sealed class ChatSocket(HubConnectionContext socket, Guid userId, Func<bool> isEnding, Action<Guid, InboxService.Due> inboxIsDue)
{
    /// <summary>How many conversations one socket may have open.</summary>
    public const int MaxOpen = 50;

    // A client that is further behind reads its inbox anew: docs/hub.md says so to slow clients.
    private const int MaxInbox = 1_000;

    // An entry of a dictionary of ids.
    private const int BytesPerId = 32;

    private readonly Lock _lock = new();

    // Most sockets have fast clients and no open conversation, so the collections are made when they are needed.
    private Dictionary<Guid, OpenConversation>? _open;

    // Each cursor at most once, so bounded by the number of open conversations.
    private Queue<OpenConversation.Cursor>? _due;
    private Queue<SerializedHubMessage>? _notices;

    // Ids instead of messages: what waits stays small, and the client gets the newest state.
    private Dictionary<Guid, InboxService.Due>? _inbox;

    // The conversations whose removal was written: the log and the inbox both report it.
    private HashSet<Guid>? _gone;
    private SerializedHubMessage? _written;

    // Until the client's first message is written.
    private bool _isWriting = true;
    private bool _isClosed;

    /// <summary>The user.</summary>
    public Guid UserId => userId;

    /// <summary>The conversations that this socket has open. Guarded by <see cref="OpenLock"/>.</summary>
    public Dictionary<Guid, OpenConversation> Open => _open ??= [];

    /// <summary>Guards <see cref="Open"/>.</summary>
    public Lock OpenLock { get; } = new();

    /// <summary>Bytes that are kept for this socket, because its client has not read yet what came before.</summary>
    public long WaitingBytes
    {
        get
        {
            lock (_lock)
            {
                if (!_isWriting) return 0;
                var messages = _notices is null ? 0L : _notices.Sum(SizeOf);
                if (_written is not null) messages += SizeOf(_written);
                return messages + ((_inbox?.Count ?? 0) * BytesPerId) + ((_due?.Count ?? 0) * IntPtr.Size);
            }
        }
    }

    /// <summary>Whether the socket is gone.</summary>
    public bool IsClosed => Volatile.Read(ref _isClosed);

    /// <summary>Writes from now on, beginning with what has changed since the socket was made.</summary>
    public void Begin() => _ = WriteAllAsync();

    /// <summary>Whether this socket has that conversation open.</summary>
    public bool HasOpen(Guid id)
    {
        lock (OpenLock) return _open?.ContainsKey(id) ?? false;
    }

    /// <summary>The conversations that this socket has open.</summary>
    public Guid[] OpenIds()
    {
        lock (OpenLock) return _open is null ? [] : [.. _open.Keys];
    }

    /// <summary>Writes that the user is no member of a conversation any more, once for each time that the user was removed.</summary>
    public void WriteGone(Guid id)
    {
        lock (_lock)
        {
            if (!(_gone ??= []).Add(id)) return;
        }

        Write(ChatMessages.ConversationGone(id, "removed"));
    }

    /// <summary>The user is a member of a conversation, perhaps again.</summary>
    public void NoteMember(Guid id)
    {
        lock (_lock) _gone?.Remove(id);
    }

    /// <summary>Writes the newest state of a conversation in the user's inbox, or has it read anew once the client has read what came before.</summary>
    public void WriteInbox(Guid id, SerializedHubMessage message, InboxService.Due due)
    {
        lock (_lock)
        {
            _gone?.Remove(id);
            if (_isClosed) return;
            if (_isWriting)
            {
                _inbox ??= [];
                if (_inbox.Count < MaxInbox || _inbox.ContainsKey(id)) _inbox[id] = due.With(_inbox.GetValueOrDefault(id));
                return;
            }

            (_notices ??= []).Enqueue(message);
            _isWriting = true;
        }

        _ = WriteAllAsync();
    }

    /// <summary>Writes what follows the cursor, now or once the client has read what came before.</summary>
    public void Write(OpenConversation.Cursor cursor)
    {
        lock (_lock)
        {
            if (_isClosed || cursor.IsDue) return;
            cursor.IsDue = true;
            (_due ??= []).Enqueue(cursor);
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
            (_notices ??= []).Enqueue(notice);
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
            (_due, _notices, _inbox) = (null, null, null);
        }
    }

    private async Task WriteAllAsync()
    {
        while (Next(out var cursor) is { } message)
        {
            // Never throws: SignalR closes a connection that cannot be written to.
            await socket.WriteAsync(message);
            cursor?.NoteWritten();
        }
    }

    private long SizeOf(SerializedHubMessage message) => message.GetSerializedMessage(socket.Protocol).Length;

    private SerializedHubMessage? Next(out OpenConversation.Cursor? cursor)
    {
        KeyValuePair<Guid, InboxService.Due>[] due;
        while (true)
        {
            cursor = null;
            lock (_lock)
            {
                if (isEnding()) _isClosed = true;
                if (!_isClosed && _notices is not null && _notices.TryDequeue(out var notice)) return _written = notice;
                if (_isClosed || _due is null || !_due.TryDequeue(out cursor))
                {
                    due = _isClosed || _inbox is null ? [] : [.. _inbox];
                    _inbox = null;
                    _written = null;
                    _isWriting = false;
                    break;
                }

                cursor.IsDue = false;
            }

            // Outside of this lock: the conversation's own lock is taken, and its holder may write to this socket.
            if (cursor.Take(out var more) is not { } entries) continue;
            if (more) Requeue(cursor);
            lock (_lock) return _written = entries;
        }

        foreach (var (id, change) in due) inboxIsDue(id, change);
        return null;
    }

    private void Requeue(OpenConversation.Cursor cursor)
    {
        lock (_lock)
        {
            if (_isClosed || cursor.IsDue) return;
            cursor.IsDue = true;
            (_due ??= []).Enqueue(cursor);
        }
    }
}
