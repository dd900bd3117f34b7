using System.Data.Common;
using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>A conversation that a search reads.</summary>
/// <param name="Id">The conversation.</param>
/// <param name="NewestAt">The time of its newest message.</param>
/// <param name="OldestAt">A time before its first message.</param>
/// <param name="Entries">How many entries it has.</param>
internal sealed record SearchedConversation(Guid Id, DateTimeOffset NewestAt, DateTimeOffset OldestAt, long Entries);

/// <summary>A message that a search found.</summary>
internal sealed record FoundMessage(Guid ConversationId, long Seq, Guid SenderId, DateTimeOffset SentAt, string Text);

/// <summary>The answer to a search.</summary>
/// <param name="Messages">Newest first.</param>
/// <param name="Reached">Where a search that ended early goes on; <see langword="null"/> if it has read everything or has enough messages.</param>
internal sealed record FoundMessages(IReadOnlyList<FoundMessage> Messages, SearchCursor? Reached);

/// <summary>Reads rows of the statements in <see cref="ConversationSql"/>.</summary>
internal static class ConversationRows
{
    /// <summary>How many columns an entry takes.</summary>
    public const int EntryWidth = 12;

    /// <summary>Reads an entry.</summary>
    /// <param name="reader">At a row.</param>
    /// <param name="at">The entry's first column.</param>
    /// <returns><see langword="null"/> where an outer join found no entry. While the sender's erasure is under way, the entry as it will be in the end.</returns>
    public static ConversationEntry? ReadEntry(DbDataReader reader, int at)
    {
        if (reader.IsDBNull(at)) return null;
        var (kind, erasedSeq) = (reader.GetString(at + 1), Number(reader, at + 11));
        return new()
        {
            Seq = reader.GetInt64(at),
            Kind = kind,
            SenderId = reader.GetGuid(at + 2),
            SentAt = reader.GetFieldValue<DateTimeOffset>(at + 3),
            ClientId = reader.IsDBNull(at + 4) ? null : reader.GetGuid(at + 4),
            Target = Number(reader, at + 5),
            ReplyTo = Number(reader, at + 6),
            Body = erasedSeq is null ? Text(reader, at + 7) : null,
            EditedSeq = Number(reader, at + 8),
            DeletedSeq = Number(reader, at + 9) ?? (kind == EntryKinds.Message ? erasedSeq : null),
            Mentions = erasedSeq is null && Text(reader, at + 10) is { } ids ? Array.ConvertAll(ids.Split(','), Guid.Parse) : [],
        };
    }

    /// <summary>Reads what <see cref="ConversationSql.ReadMessages"/> says of reactions: <c>count:mine:emoji</c>, divided by the control character 31, which no emoji holds.</summary>
    public static MessageReaction[] ReadReactions(DbDataReader reader, int at)
    {
        if (Text(reader, at) is not { } text) return [];
        return [.. text.Split('\u001F').Select(part => part.Split(':', 3)).Select(parts => new MessageReaction(parts[2], int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), parts[1] == "1"))
            .OrderByDescending(reaction => reaction.Count).ThenBy(reaction => reaction.Emoji, StringComparer.Ordinal)];
    }

    /// <summary>Reads a row of <see cref="ConversationSql.List"/> or <see cref="ConversationSql.Find"/>.</summary>
    public static ConversationLookup ReadSummary(DbDataReader reader)
    {
        var kind = reader.GetString(1);

        // Only Find gives a row without a membership. Its last column is the creator of a channel.
        if (reader.IsDBNull(8)) return new(NotAMember(kind), null) { ChannelCreatorId = reader.IsDBNull(29) ? null : reader.GetGuid(29) };
        var (head, from, read) = (reader.GetInt64(3), reader.GetInt64(9), reader.GetInt64(10));
        var last = ReadEntry(reader, 17);
        return new(ConversationError.None, new()
        {
            Id = reader.GetGuid(0),
            Kind = kind,
            Title = Text(reader, 2),
            Head = head,
            NewcomersSee = reader.GetString(4),
            ClosedAt = Time(reader, 5),
            OrderAt = reader.GetFieldValue<DateTimeOffset>(6),
            LastAt = Time(reader, 7),
            Role = reader.GetString(8),
            From = from,
            Read = read,
            Muted = reader.GetBoolean(11),
            Other = reader.IsDBNull(12) || reader.IsDBNull(13) ? null : new(reader.GetGuid(12), reader.GetString(13), Text(reader, 14)),
            Unread = Unread(reader.GetInt64(15), reader.GetInt64(16), head - Math.Max(read, from - 1)),
            Last = last is null ? null : last with { Body = Shorten(last.Body) },
        });
    }

    /// <summary>Reads a message that a search found.</summary>
    public static FoundMessage ReadFound(DbDataReader reader) =>
        new(reader.GetGuid(0), reader.GetInt64(1), reader.GetGuid(2), reader.GetFieldValue<DateTimeOffset>(3), reader.GetString(4));

    /// <summary>The error of a reader without membership.</summary>
    public static ConversationError NotAMember(string kind) =>
        kind == ConversationKinds.Channel ? ConversationError.NotAMember : ConversationError.NotFound;

    public static UnreadCount Unread(long counted, long mentions, long entries) => new((int)Math.Min(counted, 100), counted > 100 || entries > 1_000, (int)mentions);

    public static long? Number(DbDataReader reader, int at) => reader.IsDBNull(at) ? null : reader.GetInt64(at);

    public static string? Text(DbDataReader reader, int at) => reader.IsDBNull(at) ? null : reader.GetString(at);

    public static DateTimeOffset? Time(DbDataReader reader, int at) => reader.IsDBNull(at) ? null : reader.GetFieldValue<DateTimeOffset>(at);

    private static string? Shorten(string? text)
    {
        if (text is not { Length: > 200 }) return text;
        var end = char.IsHighSurrogate(text[199]) ? 199 : 200;
        return text[..end];
    }
}
