using System.Collections.Concurrent;
using Pulse.Conversations;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>A command of a user, and what the user knows about it.</summary>
internal sealed class Sent(ConversationCommand command)
{
    public ConversationCommand Command => command;

    /// <summary>The acknowledged seq.</summary>
    public long? Seq { get; set; }

    public DateTimeOffset SentAt { get; set; }

    /// <summary>Whether the acknowledged entry is an earlier one.</summary>
    public bool IsRepeat { get; set; }

    /// <summary>Whether an attempt may have had an effect that no answer told.</summary>
    public bool IsUncertain { get; set; }

    public override string ToString() => $"{command.Kind} '{command.Text}' to {command.Target}";
}

/// <summary>Everything that users and devices were told. What does not need the whole log is checked at once.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<long, EntryIdentity> _seen = new();
    private readonly ConcurrentDictionary<Guid, long> _markers = new();
    private readonly Lock _lock = new();
    private long _head = 1;

    public ConcurrentQueue<string> Faults { get; } = new();

    public ConcurrentQueue<Sent> Commands { get; } = new();

    /// <summary>Entries that reached a user.</summary>
    public ConcurrentQueue<(string Where, Guid User, EntryIdentity Entry)> Entries { get; } = new();

    /// <summary>Heads that a user was told of.</summary>
    public ConcurrentQueue<(string Where, Guid User, long Head)> Heads { get; } = new();

    /// <summary>Numbers of unread messages, which are true at one head at least of a range.</summary>
    public ConcurrentQueue<(string Where, Guid User, long Read, long From, long To, UnreadCount Unread)> Counts { get; } = new();

    /// <summary>The highest seq that is known to be committed.</summary>
    public long Head => Volatile.Read(ref _head);

    /// <summary>The furthest marker that a user was told of.</summary>
    public long MarkerOf(Guid user) => _markers.GetValueOrDefault(user);

    public void Fault(string text) => Faults.Enqueue(text);

    /// <summary>A reader was given an entry: the same as every other reader before.</summary>
    public void Saw(string where, Guid user, ConversationEntry entry)
    {
        var identity = EntryIdentity.Of(entry);
        var first = _seen.GetOrAdd(entry.Seq, identity);
        if (first != identity) Fault($"{where} was given {identity}, another reader {first}");
        Entries.Enqueue((where, user, identity));
        Commit(entry.Seq);
    }

    public void SawHead(string where, Guid user, long head) => Heads.Enqueue((where, user, head));

    /// <summary>A command was answered. Every answer to one client id is the same.</summary>
    public void Answered(Sent sent, ConversationAnswer answer)
    {
        lock (_lock)
        {
            if (answer.Error == ConversationError.UnknownOutcome) sent.IsUncertain = true;
            if (answer.Error == ConversationError.ClientIdReused) Fault($"{sent} was taken for another message");
            if (answer.Error != ConversationError.None) return;
            Commit(answer.Seq);
            if (sent.Seq is null) (sent.Seq, sent.SentAt, sent.IsRepeat) = (answer.Seq, answer.SentAt, answer.IsRepeat);
            else if (sent.Command.Kind == EntryKinds.Message && (sent.Seq, sent.SentAt) != (answer.Seq, answer.SentAt))
                Fault($"{sent} has seq {answer.Seq} of {answer.SentAt:O}, after an answer with {sent.Seq} of {sent.SentAt:O}");
        }
    }

    /// <summary>A marker was answered, which is at least what it was before the call.</summary>
    /// <param name="where">The call.</param>
    /// <param name="user">The member.</param>
    /// <param name="least">The marker before the call, and the one that the call has set.</param>
    /// <param name="read">The marker in the answer.</param>
    public void Marked(string where, Guid user, long least, long read)
    {
        if (read < least) Fault($"{where}: the marker is {read}, and was {least}");
        _markers.AddOrUpdate(user, read, (_, known) => Math.Max(known, read));
    }

    private void Commit(long seq)
    {
        for (var head = Head; seq > head; head = Head) Interlocked.CompareExchange(ref _head, seq, head);
    }
}
