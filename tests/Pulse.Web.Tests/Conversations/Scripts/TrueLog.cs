using System.Text.Json;
using Pulse.Conversations;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>What is the same about an entry for every reader. The text of a message may be a newer one.</summary>
internal sealed record EntryIdentity(long Seq, string Kind, Guid SenderId, Guid? ClientId, long? Target, DateTimeOffset SentAt)
{
    public static EntryIdentity Of(ConversationEntry entry) =>
        new(entry.Seq, entry.Kind, entry.SenderId, entry.ClientId, entry.Target, entry.SentAt);
}

/// <summary>An entry as it was committed, before any deletion.</summary>
internal sealed record WrittenEntry(EntryIdentity Identity, string? Body)
{
    public long Seq => Identity.Seq;

    public string Kind => Identity.Kind;
}

/// <summary>The time of a user in the conversation.</summary>
/// <param name="User">The user.</param>
/// <param name="Joined">Seq of the entry that added the user.</param>
/// <param name="From">The first seq that the user may read.</param>
/// <param name="Removed">Seq of the entry that removed the user; <see cref="long.MaxValue"/> for a present member.</param>
internal sealed record Stay(Guid User, long Joined, long From, long Removed);

/// <summary>A message with its newest text.</summary>
internal sealed record TrueMessage(string? Text, long? EditedSeq, long? DeletedSeq);

/// <summary>The model: what follows from a log by the definitions of the chat, in the simplest way, whoever wrote it.</summary>
internal sealed class TrueLog
{
    private readonly Guid[] _users;
    private readonly Dictionary<long, WrittenEntry> _entries;
    private readonly ILookup<long, WrittenEntry> _changes;
    private readonly List<Stay> _stays = [];

    public TrueLog(WrittenEntry[] entries, Guid[] users, Guid[] first, bool newcomersSeeAll)
    {
        (Entries, _users) = (entries, users);
        _entries = entries.ToDictionary(entry => entry.Seq);
        _changes = entries.Where(entry => entry.Identity.Target is not null).ToLookup(entry => entry.Identity.Target!.Value);
        _stays.AddRange(first.Select(user => new Stay(user, Joined: 1, From: 1, long.MaxValue)));
        foreach (var entry in entries)
        {
            if (entry.Kind == EntryKinds.MemberAdded)
            {
                var user = UserOf(entry);
                var isNew = _stays.TrueForAll(stay => stay.User != user);
                _stays.Add(new(user, entry.Seq, newcomersSeeAll && isNew ? 1 : entry.Seq, long.MaxValue));
            }
            else if (entry.Kind == EntryKinds.MemberRemoved)
            {
                var last = _stays.FindLastIndex(stay => stay.User == UserOf(entry));
                _stays[last] = _stays[last] with { Removed = entry.Seq };
            }
        }
    }

    public WrittenEntry[] Entries { get; }

    public long Head => Entries.Length;

    /// <summary>A text that is like no other, and says whom it mentions.</summary>
    public static string Text(int number, int? mentioned) => $"{number}@{mentioned}";

    public WrittenEntry? Find(long seq) => _entries.GetValueOrDefault(seq);

    /// <summary>The user's part at a head; <see langword="null"/> for no member.</summary>
    public Stay? StayAt(Guid user, long head) => _stays.Find(stay => stay.User == user && stay.Joined <= head && head < stay.Removed);

    /// <summary>Whether the user may ever have read an entry.</summary>
    public bool MayRead(Guid user, long seq) => _stays.Exists(stay => stay.User == user && stay.From <= seq && seq <= stay.Removed);

    /// <summary>The numbers of unread messages and mentions of a member at a head.</summary>
    public (int Messages, int Mentions) CountUnread(Stay member, long read, long head)
    {
        var (messages, mentions) = (0, 0);
        for (var seq = Math.Max(read, member.From - 1) + 1; seq <= head; seq++)
        {
            if (Find(seq) is not { Kind: EntryKinds.Message } entry || entry.Identity.SenderId == member.User) continue;
            var message = MessageAt(entry, head);
            if (message.DeletedSeq is not null) continue;
            messages++;
            if (message.Text!.EndsWith($"@{Array.IndexOf(_users, member.User)}", StringComparison.Ordinal)) mentions++;
        }

        return (messages, mentions);
    }

    /// <summary>A message as it is at a head.</summary>
    public TrueMessage MessageAt(WrittenEntry message, long head)
    {
        var changes = _changes[message.Seq].Where(entry => entry.Seq <= head).ToArray();
        var edit = Array.FindLast(changes, entry => entry.Kind == EntryKinds.Edit);
        var delete = Array.Find(changes, entry => entry.Kind == EntryKinds.Delete);
        return new(delete is not null ? null : (edit ?? message).Body, edit?.Seq, delete?.Seq);
    }

    private static Guid UserOf(WrittenEntry entry)
    {
        using var body = JsonDocument.Parse(entry.Body!);
        return body.RootElement.GetProperty("userId").GetGuid();
    }
}
