using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Pulse.Conversations;

namespace Pulse.Web.Conversations;

/// <summary>A conversation that sockets of this front end have open: its newest entries, and each socket's position in them.</summary>
internal sealed class OpenConversation(Guid id, ChatSocketMetrics metrics, TimeProvider time)
{
    private const int MaxEntries = 512;
    private const int MaxWrite = 100;

    // A socket that reads slowly is kept one message. The longest text alone takes 48,000 bytes, because JSON escapes most alphabets.
    private const int MaxWriteBytes = 56 * 1024;
    private const int BytesPerEntry = 400;
    private const int BytesPerUnit = 6;
    private const int BytesPerMention = 40;

    private readonly Lock _lock = new();
    private readonly RecentEntries _recent = new(MaxEntries);
    private readonly Dictionary<ChatSocket, Cursor> _cursors = [];
    private readonly List<Opening> _openings = [];

    // Sockets that keep up are at the same position, so few runs are serialized: the last ones, by their first and last seq.
    private readonly Dictionary<(long From, long To), SerializedHubMessage> _serialized = [];

    private Guid[] _typing = [];
    private long _arrivedAt;

    /// <summary>The conversation.</summary>
    public Guid Id => id;

    /// <summary>Seq of the newest entry that is known here; -1 before the first answer of the grain.</summary>
    public long Head { get; private set; } = -1;

    /// <summary>The highest head of which a silo has notified this front end. Its entries may be on their way.</summary>
    public long NotifiedHead { get; private set; }

    /// <summary>Whether the conversation has left the list of open ones.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>Begins to open the conversation for a socket. Removals from now on reach it.</summary>
    /// <returns><see langword="null"/> when the conversation has left the list meanwhile.</returns>
    public Opening? Begin(ChatSocket socket)
    {
        lock (_lock)
        {
            if (IsRemoved) return null;
            var opening = new Opening(socket);
            _openings.Add(opening);
            return opening;
        }
    }

    /// <summary>Ends a successful or failed opening.</summary>
    /// <returns>Whether the last socket and the last opening have ended, so that the conversation is marked as removed.</returns>
    public bool End(Opening opening)
    {
        lock (_lock)
        {
            _openings.Remove(opening);
            return TryRemove();
        }
    }

    /// <summary>Opens the conversation for a socket whose client has the log up to a seq.</summary>
    /// <param name="opening">What <see cref="Begin"/> gave.</param>
    /// <param name="after">The newest entry that the client has, or one before the first that it may read.</param>
    /// <param name="read">Entries after that, read from the database; <see langword="null"/> when they were not needed yet.</param>
    /// <param name="memberHead">The head at which the user was a member, as the grain answered.</param>
    /// <param name="maxEntries">How many entries the client gets at most.</param>
    /// <param name="joined">The outcome.</param>
    /// <returns><see langword="false"/> when the entries have to be read from the database first. Nothing is changed.</returns>
    public bool TryJoin(Opening opening, long after, ConversationEntry[]? read, long memberHead, int maxEntries, out Joined joined)
    {
        lock (_lock)
        {
            joined = new(
                IsGone: opening.IsOver || opening.RemovedAt > memberHead, IsOutdated: !opening.IsOver && opening.SkippedTo > memberHead,
                Head, [], TooFar: false);
            if (joined.IsOutdated) opening.SkippedTo = 0;
            if (joined.IsGone || joined.IsOutdated) return true;
            if (Head - after > maxEntries)
            {
                joined = joined with { TooFar = true };
            }
            else
            {
                var last = read is [.., var newest] ? newest.Seq : after;
                if (_recent.After(after, Head) is { } entries) joined = joined with { Entries = entries };
                else if (read is null) return false;
                else if (_recent.After(last, Head) is { } rest) joined = joined with { Entries = [.. read, .. rest] };
                else joined = joined with { TooFar = true };
            }

            // From the database an entry may be newer than what has arrived here.
            if (joined.Entries is [.., var end]) joined = joined with { Head = Math.Max(Head, end.Seq) };
            if (_cursors.TryGetValue(opening.Socket, out var former)) former.IsOver = true;
            var cursor = new Cursor(this, opening.Socket) { Seq = joined.Head };
            _cursors[opening.Socket] = cursor;
            return true;
        }
    }

    /// <summary>Closes the conversation for a socket.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="isBehind">Whether the socket misses entries that are on their way.</param>
    /// <returns>Whether the last socket and the last opening have ended, so that the conversation is marked as removed.</returns>
    public bool Leave(ChatSocket socket, out bool isBehind)
    {
        lock (_lock)
        {
            isBehind = false;
            if (_cursors.Remove(socket, out var cursor))
            {
                cursor.IsOver = true;
                isBehind = cursor.Seq < Math.Max(Head, NotifiedHead);
            }

            foreach (var opening in _openings) if (opening.Socket == socket) opening.IsOver = true;
            return TryRemove();
        }
    }

    /// <summary>Notes the head of which a silo has notified this front end.</summary>
    public void NoteHead(long head)
    {
        lock (_lock) NotifiedHead = Math.Max(NotifiedHead, head);
    }

    /// <summary>Takes what the grain sent. Entries are applied in the order of the log, each once.</summary>
    /// <param name="run">Entries, markers and typing users.</param>
    /// <param name="isPublished">The grain sent it by itself, so that also an equal list of typing users is news.</param>
    /// <returns><see langword="false"/> when entries are missing before those of the run: the grain has to be asked from <see cref="Head"/> on.</returns>
    public bool Take(ConversationRun run, bool isPublished = false)
    {
        using var activity = run.Entries.Length == 0 ? null : ChatTracing.Source.StartActivity(ChatTracing.Write);

        // The writes begin after the lock is released: a write may go on to another conversation of the same socket, and take that one's lock.
        var writes = new List<Action>();
        try
        {
            lock (_lock) return Take(run, isPublished, writes);
        }
        finally
        {
            foreach (var write in writes) write();
        }
    }

    /// <summary>Whether a socket of that user has the conversation open here.</summary>
    public bool IsOpenFor(ChatSocket socket)
    {
        lock (_lock) return _cursors.ContainsKey(socket);
    }

    private bool Take(ConversationRun run, bool isPublished, List<Action> writes)
    {
        if (Head < 0)
        {
            SkipTo(run.Entries is [var first, ..] ? first.Seq - 1 : run.Head);
        }
        else if (run.TooFar && run.Head > Head)
        {
            // This front end has lost its place. Its sockets fetch what they lack, and open the conversation again.
            _recent.Clear();
            SkipTo(run.Head);
            foreach (var cursor in _cursors.Values.ToArray()) writes.Add(EndBehind(cursor));
        }

        if (run.Entries is [var next, ..] && next.Seq > Head + 1) return false;
        foreach (var entry in run.Entries)
        {
            if (entry.Seq <= Head) continue;
            _recent.Add(entry);
            Head = entry.Seq;
            if (entry.Kind == EntryKinds.MemberRemoved) Remove(entry, writes);
        }

        _serialized.Clear();
        if (run.Entries.Length > 0) Volatile.Write(ref _arrivedAt, time.GetTimestamp());
        foreach (var cursor in _cursors.Values) if (cursor.Seq < Head) writes.Add(() => cursor.Socket.Write(cursor));
        if (run.Markers.Length > 0) WriteIfIdle(ChatMessages.ReadChanged(id, run.Markers), writes);
        if (run.Typing is { } typing && (isPublished || !typing.AsSpan().SequenceEqual(_typing)))
        {
            _typing = typing;
            WriteIfIdle(ChatMessages.TypingChanged(id, typing), writes);
        }

        return run.Head <= Head;
    }

    // A removal among the entries that do not arrive here is unknown. A grain that has confirmed a membership before it is asked again.
    private void SkipTo(long head)
    {
        Head = head;
        foreach (var opening in _openings) opening.SkippedTo = head;
    }

    // Before any later entry is written: the user's sockets leave, those that are being opened included.
    private void Remove(ConversationEntry entry, List<Action> writes)
    {
        if (RemovedUser(entry) is not { } userId) return;
        foreach (var opening in _openings) if (opening.Socket.UserId == userId) opening.RemovedAt = entry.Seq;
        foreach (var cursor in _cursors.Values.Where(cursor => cursor.Socket.UserId == userId).ToArray())
        {
            End(cursor);
            writes.Add(() => cursor.Socket.WriteGone(id));
        }
    }

    private static Guid? RemovedUser(ConversationEntry entry)
    {
        if (entry.Body is null) return null;
        using var body = JsonDocument.Parse(entry.Body);
        return body.RootElement.TryGetProperty("userId", out var userId) && userId.TryGetGuid(out var parsed) ? parsed : null;
    }

    private Action EndBehind(Cursor cursor)
    {
        End(cursor);
        metrics.Behind();
        var behind = ChatMessages.Behind(id, Head);
        return () => cursor.Socket.Write(behind);
    }

    private void End(Cursor cursor)
    {
        cursor.IsOver = true;
        _cursors.Remove(cursor.Socket);
        lock (cursor.Socket.OpenLock) cursor.Socket.Open.Remove(id);
    }

    private void WriteIfIdle(SerializedHubMessage message, List<Action> writes)
    {
        foreach (var cursor in _cursors.Values)
        {
            // The user may be removed before the write.
            writes.Add(() =>
            {
                if (!cursor.IsOver) cursor.Socket.WriteIfIdle(message);
            });
        }
    }

    private bool TryRemove()
    {
        if (_cursors.Count > 0 || _openings.Count > 0 || IsRemoved) return false;
        return IsRemoved = true;
    }

    private SerializedHubMessage? TakeNext(Cursor cursor, out bool more)
    {
        lock (_lock)
        {
            more = false;
            if (cursor.IsOver || cursor.Seq >= Head) return null;
            if (_recent.After(cursor.Seq, Head, MaxWrite) is not { Length: > 0 } next)
            {
                // The socket is writing already, so this only queues the notice.
                EndBehind(cursor)();
                return null;
            }

            var entries = next[..CountForOneWrite(next)];
            var key = (entries[0].Seq, entries[^1].Seq);
            if (!_serialized.TryGetValue(key, out var message)) _serialized[key] = message = ChatMessages.EntriesAdded(id, entries, Head);
            cursor.Seq = key.Item2;
            more = cursor.Seq < Head;
            return message;
        }
    }

    private void NoteWritten() => metrics.Delivered(time.GetElapsedTime(Volatile.Read(ref _arrivedAt)));

    private static int CountForOneWrite(ConversationEntry[] entries)
    {
        var (count, bytes) = (0, 0);
        while (count < entries.Length)
        {
            bytes += BytesPerEntry + (BytesPerUnit * (entries[count].Body?.Length ?? 0)) + (BytesPerMention * entries[count].Mentions.Length);
            if (bytes > MaxWriteBytes && count > 0) break;
            count++;
        }

        return count;
    }

    /// <summary>The outcome of opening.</summary>
    /// <param name="IsGone">The user was removed meanwhile, or the socket is gone. The conversation is not open.</param>
    /// <param name="IsOutdated">Skipped entries may hold the user's removal, so the grain is asked again. The conversation is not open.</param>
    /// <param name="Head">Entries after this one are written to the socket.</param>
    /// <param name="Entries">What the client lacks up to that.</param>
    /// <param name="TooFar">The client lacks more than an answer holds.</param>
    public sealed record Joined(bool IsGone, bool IsOutdated, long Head, ConversationEntry[] Entries, bool TooFar);

    /// <summary>A socket for which the conversation is being opened.</summary>
    public sealed class Opening(ChatSocket socket)
    {
        public ChatSocket Socket => socket;

        /// <summary>The socket is gone.</summary>
        public bool IsOver { get; set; }

        /// <summary>Seq of the user's removal, if one has arrived; it may be one from before the user was added again.</summary>
        public long RemovedAt { get; set; }

        /// <summary>Seq up to which entries were skipped since the grain was asked; 0 for none.</summary>
        public long SkippedTo { get; set; }
    }

    /// <summary>How far a socket has been sent the log.</summary>
    public sealed class Cursor(OpenConversation conversation, ChatSocket socket)
    {
        public ChatSocket Socket => socket;

        /// <summary>The newest entry that was written. Guarded by the conversation.</summary>
        public long Seq { get; set; }

        /// <summary>The conversation is not open for the socket any more. Guarded by the conversation.</summary>
        public bool IsOver { get; set; }

        /// <summary>Whether the socket is about to write what follows. Guarded by the socket.</summary>
        public bool IsDue { get; set; }

        /// <summary>The next entries to write.</summary>
        /// <param name="more">Whether there are more after those.</param>
        /// <returns><see langword="null"/> for none.</returns>
        public SerializedHubMessage? Take(out bool more) => conversation.TakeNext(this, out more);

        /// <summary>The entries that were taken are written.</summary>
        public void NoteWritten() => conversation.NoteWritten();
    }
}
