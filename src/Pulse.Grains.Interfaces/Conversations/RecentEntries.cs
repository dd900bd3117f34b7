namespace Pulse.Conversations;

/// <summary>The newest entries of a conversation, contiguous up to the head, bounded in number and in size. Not thread-safe.</summary>
/// <param name="maxEntries">How many entries are kept.</param>
public sealed class RecentEntries(int maxEntries)
{
    private const int MaxText = 256 * 1024;

    private readonly List<ConversationEntry> _entries = [];
    private long _text;

    /// <summary>Seq of the oldest entry that is kept; 0 for none.</summary>
    public long First => _entries.Count == 0 ? 0 : _entries[0].Seq;

    /// <summary>How many entries there are.</summary>
    public int Count => _entries.Count;

    /// <summary>Adds the entry that follows the newest one, and applies it to the messages that are kept.</summary>
    public void Add(ConversationEntry entry)
    {
        if (_entries.Count > 0 && entry.Seq != _entries[^1].Seq + 1) Clear();
        switch (entry.Kind)
        {
            case EntryKinds.Edit:
                Replace(entry.Target, message => message with { Body = entry.Body, Mentions = entry.Mentions, EditedSeq = entry.Seq });
                break;
            case EntryKinds.Delete:
                Replace(entry.Target, message => message with { Body = null, Mentions = [], DeletedSeq = entry.Seq });
                for (var i = 0; i < _entries.Count; i++)
                {
                    if (_entries[i].Kind == EntryKinds.Edit && _entries[i].Target == entry.Target) Set(i, _entries[i] with { Body = null, Mentions = [] });
                }

                break;
        }

        if (entry.Kind == EntryKinds.SenderErased) Erase(entry);
        _entries.Add(entry);
        _text += entry.Body?.Length ?? 0;
        var excess = 0;
        while (_entries.Count - excess > maxEntries || (_text > MaxText && _entries.Count - excess > 1)) _text -= _entries[excess++].Body?.Length ?? 0;
        if (excess > 0) _entries.RemoveRange(0, excess);
    }

    /// <summary>The entries after that seq up to the head, at most so many.</summary>
    /// <param name="seq">The newest entry that the caller has.</param>
    /// <param name="head">The head of the log.</param>
    /// <param name="count">How many entries at most.</param>
    /// <returns><see langword="null"/> when some of them are not kept.</returns>
    public ConversationEntry[]? After(long seq, long head, int count = int.MaxValue)
    {
        if (seq >= head) return [];
        if (_entries.Count == 0 || seq < First - 1 || _entries[^1].Seq < head) return null;
        return [.. _entries.Skip((int)(seq + 1 - First)).Take(count)];
    }

    /// <summary>The entry with that seq; <see langword="null"/> when it is not kept.</summary>
    public ConversationEntry? Find(long seq) => _entries.Count > 0 && seq >= First && seq <= _entries[^1].Seq ? _entries[(int)(seq - First)] : null;

    /// <summary>The message with that client id; <see langword="null"/> when it is not kept.</summary>
    public ConversationEntry? Find(Guid sender, Guid clientId) => _entries.FindLast(entry => entry.ClientId == clientId && entry.SenderId == sender);

    /// <summary>Keeps nothing.</summary>
    public void Clear()
    {
        _entries.Clear();
        _text = 0;
    }

    private void Replace(long? seq, Func<ConversationEntry, ConversationEntry> change)
    {
        if (seq is { } at && Find(at) is { } entry) Set((int)(at - First), change(entry));
    }

    private void Erase(ConversationEntry erasure)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            var entry = _entries[i];
            if (entry.SenderId != erasure.SenderId || entry.Kind is not (EntryKinds.Message or EntryKinds.Edit)) continue;
            Set(i, entry with { Body = null, Mentions = [], DeletedSeq = entry.Kind == EntryKinds.Message ? entry.DeletedSeq ?? erasure.Seq : null });
        }
    }

    private void Set(int index, ConversationEntry entry)
    {
        _text += (entry.Body?.Length ?? 0) - (_entries[index].Body?.Length ?? 0);
        _entries[index] = entry;
    }
}
