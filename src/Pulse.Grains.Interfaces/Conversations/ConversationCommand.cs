namespace Pulse.Conversations;

/// <summary>A change to a conversation that one user asks for. It becomes one entry of the log, or is refused.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ConversationCommand")]
public sealed record ConversationCommand
{
    /// <summary>The kind of the entry: one of <see cref="EntryKinds"/>.</summary>
    [Id(0)] public string Kind { get; init; } = "";

    /// <summary>The calling user.</summary>
    [Id(1)] public Guid SenderId { get; init; }

    /// <summary>For messages: the id that the client chose. Repeating it gives the first answer.</summary>
    [Id(2)] public Guid? ClientId { get; init; }

    /// <summary>Text of a message or an edit, title of a renaming, emoji of a reaction, value of a rule.</summary>
    [Id(3)] public string? Text { get; init; }

    /// <summary>For edits, deletions and reactions: the message.</summary>
    [Id(4)] public long? Target { get; init; }

    /// <summary>For messages: the message that this one answers.</summary>
    [Id(5)] public long? ReplyTo { get; init; }

    /// <summary>For messages and edits: the users that the text mentions.</summary>
    [Id(6)] public Guid[] Mentions { get; init; } = [];

    /// <summary>For messages: the client id of the sender's message that must be in the log before this one.</summary>
    [Id(7)] public Guid? After { get; init; }

    /// <summary>For messages: the seq up to which the sender has read.</summary>
    [Id(8)] public long? Read { get; init; }

    /// <summary>For edits: the newest edit that the client knows; <see langword="null"/> to edit whatever is there.</summary>
    [Id(9)] public long? Edited { get; init; }

    /// <summary>For reactions: whether the reaction is to be there afterwards.</summary>
    [Id(10)] public bool On { get; init; }

    /// <summary>For members: the user to add, to remove, or to give another role.</summary>
    [Id(11)] public Guid? UserId { get; init; }

    /// <summary>For members: one of <see cref="MemberRoles"/>.</summary>
    [Id(12)] public string? Role { get; init; }

    /// <summary>For members: only a present member gets the role. A user who has left meanwhile stays out.</summary>
    [Id(13)] public bool OnlyPresent { get; init; }
}

/// <summary>Why a conversation refuses a command. The names are those of the problem types.</summary>
public enum ConversationError
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>A value breaks a rule.</summary>
    InvalidArgument = 1,

    /// <summary>The conversation or the message does not exist for this user.</summary>
    NotFound = 2,

    /// <summary>The user is no member of the channel.</summary>
    NotAMember = 3,

    /// <summary>The user's role allows reading only.</summary>
    ReadOnly = 4,

    /// <summary>The message is another user's, or the role does not allow it.</summary>
    NotYours = 5,

    /// <summary>The conversation is closed.</summary>
    Closed = 6,

    /// <summary>Blocked, or refused by the policy.</summary>
    CannotMessage = 7,

    /// <summary>The last owner cannot leave or lose the role.</summary>
    LastOwner = 8,

    /// <summary>Direct conversations have no such operation.</summary>
    NotForDirect = 9,

    /// <summary>The client id was used for another content.</summary>
    ClientIdReused = 10,

    /// <summary>The message to come after is not there.</summary>
    PredecessorMissing = 11,

    /// <summary>The message has another newest edit.</summary>
    EditConflict = 12,

    /// <summary>The conversation is full.</summary>
    TooManyMembers = 13,

    /// <summary>Too many messages in a short time.</summary>
    TooManyMessages = 14,

    /// <summary>Not stored, and never will be. Repeating may succeed.</summary>
    Unavailable = 15,

    /// <summary>Stored or not. Repeating with the same client id gives the answer.</summary>
    UnknownOutcome = 16,

    /// <summary>The log cannot be read so far back.</summary>
    TooFar = 17,
}

/// <summary>The answer to a command.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ConversationAnswer")]
public sealed record ConversationAnswer
{
    /// <summary>Why it was refused; <see cref="ConversationError.None"/> when it was not.</summary>
    [Id(0)] public ConversationError Error { get; init; }

    /// <summary>The position of the entry: a new one, or the one that an earlier call made.</summary>
    [Id(1)] public long Seq { get; init; }

    /// <summary>The entry's time, UTC.</summary>
    [Id(2)] public DateTimeOffset SentAt { get; init; }

    /// <summary>Whether an earlier call made the entry.</summary>
    [Id(3)] public bool IsRepeat { get; init; }

    /// <summary>A sentence for the caller, if there is more to say than the error.</summary>
    [Id(4)] public string? Detail { get; init; }

    /// <summary>For <see cref="ConversationError.TooManyMessages"/>: seconds until a retry can succeed.</summary>
    [Id(5)] public int RetryAfter { get; init; }

    /// <summary>A refusal.</summary>
    public static ConversationAnswer Refuse(ConversationError error, string? detail = null) => new() { Error = error, Detail = detail };
}

/// <summary>A conversation to create, with its first members.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ConversationStart")]
public sealed record ConversationStart
{
    /// <summary>One of <see cref="ConversationKinds"/>.</summary>
    [Id(0)] public string Kind { get; init; } = "";

    /// <summary>The creator.</summary>
    [Id(1)] public Guid CreatorId { get; init; }

    /// <summary>Title of a group or channel.</summary>
    [Id(2)] public string? Title { get; init; }

    /// <summary>The other members, distinct, without the creator.</summary>
    [Id(3)] public Guid[] Members { get; init; } = [];

    /// <summary>One of <see cref="Conversations.NewcomersSee"/>.</summary>
    [Id(4)] public string NewcomersSee { get; init; } = Conversations.NewcomersSee.All;
}

/// <summary>The answer to the creation of a conversation.</summary>
/// <param name="Error">Why it was refused; <see cref="ConversationError.None"/> when it exists now.</param>
/// <param name="IsNew">Whether this call created it.</param>
/// <param name="Detail">A sentence for the caller.</param>
[GenerateSerializer, Immutable, Alias("pulse.ConversationCreated")]
public sealed record ConversationCreated([property: Id(0)] ConversationError Error, [property: Id(1)] bool IsNew, [property: Id(2)] string? Detail = null);
