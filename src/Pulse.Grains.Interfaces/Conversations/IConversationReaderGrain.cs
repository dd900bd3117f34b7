using Orleans.Concurrency;

namespace Pulse.Conversations;

/// <summary>
/// Reads conversations from the database, for members only. Each answer is one statement that checks the membership and reads the rows together.
/// Activations on each silo as they are needed; the key is 0.
/// </summary>
[Alias("pulse.IConversationReaderGrain")]
public interface IConversationReaderGrain : IGrainWithIntegerKey
{
    /// <summary>A user's conversations, most recent first.</summary>
    /// <param name="userId">The reader.</param>
    /// <param name="limit">1 to 100.</param>
    /// <param name="before">Cursor: of the last item of the page before; <see langword="null"/> for the first page.</param>
    [Alias("ListAsync")]
    Task<ConversationSummary[]> ListAsync(Guid userId, int limit, ListCursor? before);

    /// <summary>One conversation of a user.</summary>
    [Alias("FindAsync")]
    Task<ConversationLookup> FindAsync(Guid userId, Guid conversationId);

    /// <summary>Conversations as several users see them now. Each user gets only the conversations of which the user is a member.</summary>
    /// <param name="parts">At most 500.</param>
    /// <returns>In the order asked.</returns>
    [Alias("FindManyAsync")]
    Task<ConversationSummary?[]> FindManyAsync([Immutable] MemberOf[] parts);

    /// <summary>Messages with edits, deletions and reactions applied.</summary>
    [Alias("ReadMessagesAsync")]
    Task<LogPage> ReadMessagesAsync(Guid userId, Guid conversationId, MessageRange range);

    /// <summary>Entries in order, contiguous.</summary>
    /// <param name="userId">The reader.</param>
    /// <param name="conversationId">The conversation.</param>
    /// <param name="after">The newest entry that the reader has.</param>
    /// <param name="limit">1 to 500.</param>
    [Alias("ReadEntriesAsync")]
    Task<LogPage> ReadEntriesAsync(Guid userId, Guid conversationId, long after, int limit);

    /// <summary>Members in the order of their ids, at most 200.</summary>
    [Alias("ListMembersAsync")]
    Task<MemberPage> ListMembersAsync(Guid userId, Guid conversationId, Guid after);

    /// <summary>Messages with given words, newest first, of conversations in which the user is a member now.</summary>
    [Alias("SearchAsync")]
    Task<SearchPage> SearchAsync(Guid userId, MessageSearch search);

    /// <summary>Channels that a user may join, in the order of their titles.</summary>
    [Alias("ListChannelsAsync")]
    Task<ChannelPage> ListChannelsAsync(Guid userId, ChannelSearch search);

    /// <summary>What a client missed in many conversations.</summary>
    /// <param name="userId">The reader.</param>
    /// <param name="items">At most 200.</param>
    /// <returns>One answer for each item, in order; at most 500 entries or 256 KiB of text in all.</returns>
    [Alias("SyncAsync")]
    Task<SyncedConversation[]> SyncAsync(Guid userId, [Immutable] SyncItem[] items);

    /// <summary>A part of a user's own messages in all conversations, for an export.</summary>
    /// <param name="userId">The sender.</param>
    /// <param name="conversationId">The conversation of the last message of the part before.</param>
    /// <param name="afterSeq">The seq of that message.</param>
    [Obsolete("Reads all own messages of a conversation for each part. Front ends of earlier versions call it.")]
    [Alias("ReadOwnAsync")]
    Task<OwnMessage[]> ReadOwnAsync(Guid userId, Guid conversationId, long afterSeq);

    /// <summary>A part of a user's own messages, for an export: by conversation and client id, since an index has that order.</summary>
    /// <param name="userId">The sender.</param>
    /// <param name="conversationId">The conversation of the last message of the part before; an empty id for the first part.</param>
    /// <param name="afterClientId">The client id of that message.</param>
    /// <returns>Nothing after the last part.</returns>
    [Alias("ReadOwnAfterAsync")]
    Task<OwnMessage[]> ReadOwnAfterAsync(Guid userId, Guid conversationId, Guid afterClientId);

    /// <summary>
    /// Ends an erased user's memberships, and makes the user's texts unreadable. Their rows are emptied soon afterwards. Safe to repeat.
    /// </summary>
    [Alias("EraseAsync")]
    Task EraseAsync(Guid userId);

    /// <summary>The id of the database's logs, which restoring a backup changes.</summary>
    [Alias("GetLogIdAsync")]
    Task<Guid> GetLogIdAsync();

    /// <summary>
    /// Which of these users exist and are not disabled, whether a block stands between each and the caller, and which of them cannot join a
    /// further conversation.
    /// </summary>
    [Alias("CheckUsersAsync")]
    Task<ReachableUsers> CheckUsersAsync(Guid userId, [Immutable] Guid[] others);

    /// <summary>Blocks a user, or ends that.</summary>
    [Obsolete("The conversation of the two users does not know of the block yet. Front ends of earlier versions make this call.")]
    [Alias("SetBlockAsync")]
    Task SetBlockAsync(Guid userId, Guid blockedId, bool isBlocked);

    /// <summary>The users that a user blocks, in the order of their ids, at most 200.</summary>
    [Alias("ListBlockedAsync")]
    Task<UserPage> ListBlockedAsync(Guid userId, Guid after);

    /// <summary>Sets a member's mute flag, which is for applications: Pulse sends muted members the same messages.</summary>
    /// <returns><see cref="ConversationError.None"/>, or the refusal if the user is outside of the conversation.</returns>
    [Alias("SetMutedAsync")]
    Task<ConversationError> SetMutedAsync(Guid userId, Guid conversationId, bool muted);
}

/// <summary>A user's part in a conversation.</summary>
/// <param name="UserId">The user.</param>
/// <param name="ConversationId">The conversation.</param>
[GenerateSerializer, Immutable, Alias("pulse.MemberOf")]
public sealed record MemberOf([property: Id(0)] Guid UserId, [property: Id(1)] Guid ConversationId);

/// <summary>A message and its conversation.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Message">The message.</param>
[GenerateSerializer, Immutable, Alias("pulse.OwnMessage")]
public sealed record OwnMessage([property: Id(0)] Guid ConversationId, [property: Id(1)] ConversationEntry Message);

/// <summary>Where a page of a list of conversations begins.</summary>
/// <param name="At">The time by which the list is ordered.</param>
/// <param name="Id">The conversation with that time.</param>
[GenerateSerializer, Immutable, Alias("pulse.ListCursor")]
public sealed record ListCursor([property: Id(0)] DateTimeOffset At, [property: Id(1)] Guid Id);

/// <summary>A conversation as one member sees it.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ConversationSummary")]
public sealed record ConversationSummary
{
    /// <summary>The id.</summary>
    [Id(0)] public Guid Id { get; init; }

    /// <summary>One of <see cref="ConversationKinds"/>.</summary>
    [Id(1)] public string Kind { get; init; } = "";

    /// <summary>Title; <see langword="null"/> for a direct conversation.</summary>
    [Id(2)] public string? Title { get; init; }

    /// <summary>Seq of the newest entry.</summary>
    [Id(3)] public long Head { get; init; }

    /// <summary>Time of the newest message; <see langword="null"/> before the first one.</summary>
    [Id(4)] public DateTimeOffset? LastAt { get; init; }

    /// <summary>The newest message, its text cut at 200 characters; <see langword="null"/> where the member may not see it.</summary>
    [Id(5)] public ConversationEntry? Last { get; init; }

    /// <summary>The other user of a direct conversation; <see langword="null"/> otherwise, or when that user was erased.</summary>
    [Id(6)] public ConversationUser? Other { get; init; }

    /// <summary>The member's role.</summary>
    [Id(7)] public string Role { get; init; } = "";

    /// <summary>The first seq that the member may read.</summary>
    [Id(8)] public long From { get; init; }

    /// <summary>The read marker.</summary>
    [Id(9)] public long Read { get; init; }

    /// <summary>What the member has not read.</summary>
    [Id(10)] public UnreadCount Unread { get; init; } = new(0, false, 0);

    /// <summary>Whether the member has muted the conversation. For applications.</summary>
    [Id(11)] public bool Muted { get; init; }

    /// <summary>One of <see cref="Conversations.NewcomersSee"/>.</summary>
    [Id(12)] public string NewcomersSee { get; init; } = "";

    /// <summary>When it was closed; <see langword="null"/> while it is open.</summary>
    [Id(13)] public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>The time by which the list is ordered: <see cref="LastAt"/>, or the creation.</summary>
    [Id(14)] public DateTimeOffset OrderAt { get; init; }
}

/// <summary>A user as other members see the user.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Name">Display name.</param>
/// <param name="Avatar">Picture; <see langword="null"/> for none.</param>
[GenerateSerializer, Immutable, Alias("pulse.ConversationUser")]
public sealed record ConversationUser([property: Id(0)] Guid UserId, [property: Id(1)] string Name, [property: Id(2)] string? Avatar);

/// <summary>A conversation, or the reason why the reader is refused it.</summary>
/// <param name="Error">The reason of a refusal.</param>
/// <param name="Found">The conversation.</param>
[GenerateSerializer, Immutable, Alias("pulse.ConversationLookup")]
public sealed record ConversationLookup([property: Id(0)] ConversationError Error, [property: Id(1)] ConversationSummary? Found)
{
    /// <summary>
    /// The user who created the channel, with <see cref="ConversationError.NotAMember"/>; otherwise <see langword="null"/>, and from a silo of an
    /// earlier version.
    /// </summary>
    [Id(2)] public Guid? ChannelCreatorId { get; init; }
}

/// <summary>Which messages to read: one of the three seqs at most, and the newest messages without any.</summary>
[GenerateSerializer, Immutable, Alias("pulse.MessageRange")]
public sealed record MessageRange
{
    /// <summary>Messages below this seq, the newest of them.</summary>
    [Id(0)] public long? Before { get; init; }

    /// <summary>Messages above this seq, the oldest of them.</summary>
    [Id(1)] public long? After { get; init; }

    /// <summary>Messages on both sides of this seq.</summary>
    [Id(2)] public long? Around { get; init; }

    /// <summary>How many, 1 to 100.</summary>
    [Id(3)] public int Limit { get; init; } = 50;
}

/// <summary>A part of a log.</summary>
[GenerateSerializer, Immutable, Alias("pulse.LogPage")]
public sealed record LogPage
{
    /// <summary>Why the reader does not get it.</summary>
    [Id(0)] public ConversationError Error { get; init; }

    /// <summary>The first seq that the reader may read.</summary>
    [Id(1)] public long From { get; init; }

    /// <summary>Seq of the newest entry.</summary>
    [Id(2)] public long Head { get; init; }

    /// <summary>In ascending order.</summary>
    [Id(3)] public ConversationEntry[] Entries { get; init; } = [];

    /// <summary>For messages: whether there are earlier ones.</summary>
    [Id(4)] public bool HasBefore { get; init; }

    /// <summary>For messages: whether there are later ones.</summary>
    [Id(5)] public bool HasAfter { get; init; }
}

/// <summary>A page of members.</summary>
/// <param name="Error">Why the reader does not get it.</param>
/// <param name="Members">In the order of their ids.</param>
/// <param name="HasMore">Whether there are more.</param>
[GenerateSerializer, Immutable, Alias("pulse.MemberPage")]
public sealed record MemberPage(
    [property: Id(0)] ConversationError Error, [property: Id(1)] ConversationMemberInfo[] Members, [property: Id(2)] bool HasMore);

/// <summary>A page of users.</summary>
/// <param name="Users">In the order of their ids.</param>
/// <param name="HasMore">Whether there are more.</param>
[GenerateSerializer, Immutable, Alias("pulse.UserPage")]
public sealed record UserPage([property: Id(0)] ConversationUser[] Users, [property: Id(1)] bool HasMore);

/// <summary>A member.</summary>
/// <param name="User">The user.</param>
/// <param name="Role">One of <see cref="MemberRoles"/>.</param>
/// <param name="Read">The read marker; <see langword="null"/> above <c>ReceiptsUpTo</c> members.</param>
[GenerateSerializer, Immutable, Alias("pulse.ConversationMemberInfo")]
public sealed record ConversationMemberInfo([property: Id(0)] ConversationUser User, [property: Id(1)] string Role, [property: Id(2)] long? Read);

/// <summary>What a client has of one conversation.</summary>
/// <param name="Id">The conversation.</param>
/// <param name="Seq">The newest entry that the client has.</param>
/// <param name="Read">The read marker that the client knows.</param>
[GenerateSerializer, Immutable, Alias("pulse.SyncItem")]
public sealed record SyncItem([property: Id(0)] Guid Id, [property: Id(1)] long Seq, [property: Id(2)] long Read);

/// <summary>What a client missed in one conversation.</summary>
[GenerateSerializer, Immutable, Alias("pulse.SyncedConversation")]
public sealed record SyncedConversation
{
    /// <summary>The conversation.</summary>
    [Id(0)] public Guid Id { get; init; }

    /// <summary>Seq of the newest entry.</summary>
    [Id(1)] public long Head { get; init; }

    /// <summary>The first seq that the reader may read.</summary>
    [Id(2)] public long From { get; init; }

    /// <summary>The read marker.</summary>
    [Id(3)] public long Read { get; init; }

    /// <summary>The entries after the client's seq.</summary>
    [Id(4)] public ConversationEntry[] Entries { get; init; } = [];

    /// <summary>There are more entries than the answer holds: the client loads messages instead.</summary>
    [Id(5)] public bool TooFar { get; init; }

    /// <summary>The user is no member.</summary>
    [Id(6)] public bool Gone { get; init; }

    /// <summary>The client has entries that this log has not: its log is another one.</summary>
    [Id(7)] public bool Reset { get; init; }
}

/// <summary>Which users a caller can reach.</summary>
/// <param name="Existing">Those that exist and are not disabled.</param>
/// <param name="Blocked">Those of them with a block between them and the caller, in either direction.</param>
/// <param name="Full">Those of them that are members of as many conversations as a user may be.</param>
[GenerateSerializer, Immutable, Alias("pulse.ReachableUsers")]
public sealed record ReachableUsers([property: Id(0)] Guid[] Existing, [property: Id(1)] Guid[] Blocked, [property: Id(2)] Guid[]? Full = null);
