using Orleans.Concurrency;

namespace Pulse.Conversations;

/// <summary>One conversation: assigns the positions of its entries and notifies the front ends that have it open. The key is the conversation id.</summary>
/// <remarks>
/// The only writer of the conversation's log. A second activation (after a crash, for some seconds) is harmless: each append names the epoch and the
/// head that it builds on, and the database refuses the append of the earlier activation.
/// </remarks>
[Alias("pulse.IConversationGrain")]
public interface IConversationGrain : IGrainWithGuidKey
{
    /// <summary>Creates the conversation if it does not exist.</summary>
    [Alias("CreateAsync")]
    Task<ConversationCreated> CreateAsync(ConversationStart start);

    /// <summary>Appends the entry that the command asks for. Returns after the commit.</summary>
    [Alias("ApplyAsync")]
    Task<ConversationAnswer> ApplyAsync(ConversationCommand command);

    /// <summary>Sends runs of new entries to a front end from now on; renews that every time it is called.</summary>
    /// <param name="frontEnd">The observer.</param>
    /// <param name="afterSeq">The newest entry that the front end has.</param>
    /// <returns>What the front end lacks.</returns>
    [Alias("SubscribeAsync")]
    Task<ConversationRun> SubscribeAsync([Immutable] IConversationObserver frontEnd, long afterSeq);

    /// <summary>As <see cref="SubscribeAsync"/>, for a member who opens the conversation on that front end.</summary>
    /// <param name="frontEnd">The observer.</param>
    /// <param name="afterSeq">The newest entry that the front end has.</param>
    /// <param name="userId">The member.</param>
    [Alias("OpenAsync")]
    Task<ConversationOpened> OpenAsync([Immutable] IConversationObserver frontEnd, long afterSeq, Guid userId);

    /// <summary>Ends the subscription of a front end.</summary>
    [Alias("UnsubscribeAsync")]
    Task UnsubscribeAsync([Immutable] IConversationObserver frontEnd);

    /// <summary>Sets a member's read marker, which only moves forward.</summary>
    /// <param name="userId">The member.</param>
    /// <param name="seq">The newest entry that the member has read.</param>
    /// <param name="isInvisible">The member is invisible: the marker reaches others with the member's next message.</param>
    /// <returns>The furthest marker ever set, after the commit.</returns>
    [Alias("MarkReadAsync")]
    Task<ReadAnswer> MarkReadAsync(Guid userId, long seq, bool isInvisible);

    /// <summary>Notifies the members with the conversation open that the user is typing.</summary>
    [Alias("TypeAsync")]
    Task<ConversationError> TypeAsync(Guid userId);

    /// <summary>Blocks one of the two users of a direct conversation for the other, or ends the block. It can precede the conversation.</summary>
    /// <param name="userId">The blocking user.</param>
    /// <param name="blockedId">The other user.</param>
    /// <param name="isBlocked">True to block, false to end the block.</param>
    [Alias("SetBlockAsync")]
    Task SetBlockAsync(Guid userId, Guid blockedId, bool isBlocked);

    /// <summary>Reads the blocks between the two users of a direct conversation again.</summary>
    [Obsolete("Where this call is lost, the conversation does not know of the block. Front ends of earlier versions make it.")]
    [Alias("RefreshBlocksAsync")]
    Task RefreshBlocksAsync();
}

/// <summary>A front end, as conversations reach it.</summary>
[Alias("pulse.IConversationObserver")]
public interface IConversationObserver : IGrainObserver
{
    /// <summary>New entries of a conversation that the front end has open. Returns when the front end has taken them, before its sockets have.</summary>
    [Alias("TakeAsync")]
    Task TakeAsync(ConversationRun run);
}

/// <summary>Consecutive entries of one conversation and what else has changed in it.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ConversationRun")]
public sealed record ConversationRun
{
    /// <summary>The conversation.</summary>
    [Id(0)] public Guid ConversationId { get; init; }

    /// <summary>Consecutive entries, in order.</summary>
    [Id(1)] public ConversationEntry[] Entries { get; init; } = [];

    /// <summary>Seq of the newest entry that is committed.</summary>
    [Id(2)] public long Head { get; init; }

    /// <summary>The entries that follow what the receiver has are not in memory: the receiver reads them from the database.</summary>
    [Id(3)] public bool TooFar { get; init; }

    /// <summary>Read markers that have moved since the last run.</summary>
    [Id(4)] public ReadMarker[] Markers { get; init; } = [];

    /// <summary>The users that are typing now; <see langword="null"/> where that has not changed.</summary>
    [Id(5)] public Guid[]? Typing { get; init; }

    /// <summary>Why the conversation cannot be subscribed to.</summary>
    [Id(6)] public ConversationError Error { get; init; }
}

/// <summary>The answer to a member who opens a conversation.</summary>
/// <param name="Member">The member's part.</param>
/// <param name="Run">The entries that the front end lacks. <see langword="null"/> if the user is outside of the conversation.</param>
[GenerateSerializer, Immutable, Alias("pulse.ConversationOpened")]
public sealed record ConversationOpened([property: Id(0)] ConversationMembership Member, [property: Id(1)] ConversationRun? Run);

/// <summary>How far a member has read.</summary>
/// <param name="UserId">The member.</param>
/// <param name="Read">Seq.</param>
[GenerateSerializer, Immutable, Alias("pulse.ReadMarker")]
public sealed record ReadMarker([property: Id(0)] Guid UserId, [property: Id(1)] long Read);

/// <summary>A member's read marker and what follows it.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ReadAnswer")]
public sealed record ReadAnswer
{
    /// <summary>Why it was refused.</summary>
    [Id(0)] public ConversationError Error { get; init; }

    /// <summary>The marker.</summary>
    [Id(1)] public long Read { get; init; }

    /// <summary>Unread messages.</summary>
    [Id(2)] public UnreadCount Unread { get; init; } = new(0, false, 0);
}

/// <summary>The number of a member's unread messages.</summary>
/// <param name="Messages">Messages of others after the read marker, not deleted.</param>
/// <param name="More">Whether there may be more: counting stops at 100, or after 1,000 entries.</param>
/// <param name="Mentions">Those whose newest text mentions the member.</param>
[GenerateSerializer, Immutable, Alias("pulse.UnreadCount")]
public sealed record UnreadCount([property: Id(0)] int Messages, [property: Id(1)] bool More, [property: Id(2)] int Mentions);

/// <summary>A member's part in a conversation.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ConversationMembership")]
public sealed record ConversationMembership
{
    /// <summary><see cref="ConversationError.None"/> for a member; why not, otherwise.</summary>
    [Id(0)] public ConversationError Error { get; init; }

    /// <summary>One of <see cref="MemberRoles"/>.</summary>
    [Id(1)] public string Role { get; init; } = "";

    /// <summary>The first seq that the member may read.</summary>
    [Id(2)] public long From { get; init; }

    /// <summary>The read marker.</summary>
    [Id(3)] public long Read { get; init; }

    /// <summary>Head of the log.</summary>
    [Id(4)] public long Head { get; init; }

    /// <summary>Whether the member has muted the conversation. For applications.</summary>
    [Id(5)] public bool Muted { get; init; }

    /// <summary>The markers of the other members; empty above <c>ReceiptsUpTo</c> members.</summary>
    [Id(6)] public ReadMarker[] Markers { get; init; } = [];

    /// <summary>The users that are typing now.</summary>
    [Id(7)] public Guid[] Typing { get; init; } = [];
}
