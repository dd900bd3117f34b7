namespace Pulse.Conversations;

/// <summary>One entry of a conversation's log, as the database has it now.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ConversationEntry")]
public sealed record ConversationEntry
{
    /// <summary>Position in the log, from 1.</summary>
    [Id(0)] public long Seq { get; init; }

    /// <summary>One of <see cref="EntryKinds"/>, or a kind of a later version.</summary>
    [Id(1)] public string Kind { get; init; } = "";

    /// <summary>The user whose call made the entry.</summary>
    [Id(2)] public Guid SenderId { get; init; }

    /// <summary>When the conversation's grain took it, UTC. Entries in the order of <see cref="Seq"/> have equal or growing times.</summary>
    [Id(3)] public DateTimeOffset SentAt { get; init; }

    /// <summary>The id that the sender's client chose; <see langword="null"/> for other kinds than messages.</summary>
    [Id(4)] public Guid? ClientId { get; init; }

    /// <summary>The message that an edit, a deletion or a reaction is about.</summary>
    [Id(5)] public long? Target { get; init; }

    /// <summary>The message that this message answers.</summary>
    [Id(6)] public long? ReplyTo { get; init; }

    /// <summary>Text of a message or an edit, JSON for other kinds; <see langword="null"/> once it is deleted.</summary>
    [Id(7)] public string? Body { get; init; }

    /// <summary>The members that the newest text mentions, for messages and edits.</summary>
    [Id(8)] public Guid[] Mentions { get; init; } = [];

    /// <summary>Seq of the newest edit of a message; <see langword="null"/> for none.</summary>
    [Id(9)] public long? EditedSeq { get; init; }

    /// <summary>Seq of the deletion of a message; <see langword="null"/> for none.</summary>
    [Id(10)] public long? DeletedSeq { get; init; }

    /// <summary>Reactions to a message, where history is read.</summary>
    [Id(11)] public MessageReaction[] Reactions { get; init; } = [];
}

/// <summary>How many members reacted to a message with one emoji.</summary>
/// <param name="Emoji">One grapheme.</param>
/// <param name="Count">Members.</param>
/// <param name="Mine">Whether the reader is one of them.</param>
[GenerateSerializer, Immutable, Alias("pulse.MessageReaction")]
public sealed record MessageReaction([property: Id(0)] string Emoji, [property: Id(1)] int Count, [property: Id(2)] bool Mine);
