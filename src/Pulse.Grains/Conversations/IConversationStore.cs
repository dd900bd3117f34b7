using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>Tables of the chat. Appends and claims are for the grain of a conversation alone; see 006_chat.sql for what holds.</summary>
internal interface IConversationStore
{
    /// <summary>Creates a conversation with its first entry and members, unless it exists.</summary>
    /// <returns>Whether this call created it.</returns>
    Task<bool> CreateAsync(Guid id, ConversationStart start, DateTimeOffset at, CancellationToken cancellationToken = default);

    /// <summary>Takes over conversations: raises the epoch of each. Waits for rows that are locked, within the limits.</summary>
    /// <returns>In the order asked: the new epoch and the head; <see langword="null"/> where there is no such conversation, or where it has another epoch.</returns>
    Task<Claimed?[]> ClaimAsync(Claim[] claims, BatchLimits limits);

    /// <summary>Appends runs to distinct conversations, each whole or not at all. Waits for no lock.</summary>
    /// <returns>In the order asked.</returns>
    /// <exception cref="StoreUnavailableException">No answer: each run may be stored, or may still be stored later unless the conversation is claimed.</exception>
    Task<AppendOutcome[]> AppendAsync(LogRun[] runs, BatchLimits limits);

    /// <summary>Epoch and head of conversations, in the order asked; <see langword="null"/> for those that are not there.</summary>
    Task<Claimed?[]> FindHeadsAsync(Guid[] ids, BatchLimits limits);

    /// <summary>What an activation needs besides epoch and head. <see langword="null"/> when there is no such conversation.</summary>
    Task<ConversationRow?> LoadAsync(Guid id, CancellationToken cancellationToken = default);

    /// <summary>Entries with these seqs, with mentions and all reactions.</summary>
    Task<IReadOnlyList<StoredEntry>> FindEntriesAsync(Guid id, long[] seqs, CancellationToken cancellationToken = default);

    /// <summary>Messages with these client ids of these senders.</summary>
    Task<IReadOnlyList<StoredEntry>> FindByClientIdsAsync(Guid id, (Guid Sender, Guid ClientId)[] keys, CancellationToken cancellationToken = default);

    /// <summary>The seq of the newest reaction entry of this sender with this body; <see langword="null"/> for none.</summary>
    Task<long?> FindReactionAsync(Guid id, Guid sender, long target, string body, CancellationToken cancellationToken = default);

    /// <summary>Seq of the entry that closed a conversation.</summary>
    Task<long?> FindClosedAsync(Guid id, CancellationToken cancellationToken = default);

    /// <summary>Members' rows, those of former members included.</summary>
    Task<IReadOnlyList<FormerMember>> FindMembersAsync(Guid id, Guid[] userIds, CancellationToken cancellationToken = default);

    /// <summary>Why a user without membership is refused; <see cref="ConversationError.None"/> for a member.</summary>
    Task<ConversationError> FindRefusalAsync(Guid id, Guid userId, CancellationToken cancellationToken = default);

    /// <summary>The newest entries, in ascending order.</summary>
    Task<IReadOnlyList<ConversationEntry>> ReadNewestAsync(Guid id, int count, CancellationToken cancellationToken = default);

    /// <summary>Moves read markers forward.</summary>
    /// <returns>In the order asked: the marker after that.</returns>
    Task<long[]> MarkReadAsync(ReadMark[] marks, BatchLimits limits);

    /// <summary>What a member has not read.</summary>
    Task<UnreadCount> CountUnreadAsync(Guid id, Guid userId, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.ListAsync"/>
    Task<ConversationSummary[]> ListAsync(Guid userId, int limit, ListCursor? before, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.FindAsync"/>
    Task<ConversationLookup> FindAsync(Guid userId, Guid id, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.FindManyAsync"/>
    Task<ConversationSummary?[]> FindManyAsync(MemberOf[] parts, CancellationToken cancellationToken = default);

    /// <summary>A part of a user's own messages, by conversation and seq. Costs all the user's messages of that conversation.</summary>
    Task<OwnMessage[]> ReadOwnAsync(Guid userId, Guid conversationId, long afterSeq, int limit, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.ReadOwnAfterAsync"/>
    Task<OwnMessage[]> ReadOwnAfterAsync(Guid userId, Guid conversationId, Guid afterClientId, int limit, CancellationToken cancellationToken = default);

    /// <summary>The rows in members that erased users still have, present or former, in the order of user and conversation.</summary>
    /// <param name="userId">The user; <see langword="null"/> for all erased users.</param>
    /// <param name="after">The last row of the part before; <see langword="null"/> for the first part.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<MemberOf>> ListErasedAsync(Guid? userId, MemberOf? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Deletes the blocks of an erased user, or of all.</summary>
    Task DeleteErasedBlocksAsync(Guid? userId, CancellationToken cancellationToken = default);

    /// <summary>The erasures whose entry is in the log, and whose rows are not all emptied yet.</summary>
    Task<IReadOnlyList<MemberOf>> ListErasuresAsync(CancellationToken cancellationToken = default);

    /// <summary>Empties the next rows of an erasure, at most some times <paramref name="count"/>. Readers notice nothing of it.</summary>
    /// <param name="part">The erased user and the conversation.</param>
    /// <param name="worker">The caller. Another worker's erasure is left to it for ten seconds after its latest step.</param>
    /// <param name="count">How many messages at most.</param>
    /// <param name="limits">Sends to the conversation wait for the statement.</param>
    /// <exception cref="BatchBlockedException">The limits have passed, and nothing has changed.</exception>
    Task<ErasureStep> EraseNextAsync(MemberOf part, Guid worker, int count, BatchLimits limits);

    /// <inheritdoc cref="IConversationReaderGrain.ReadMessagesAsync"/>
    Task<LogPage> ReadMessagesAsync(Guid userId, Guid id, MessageRange range, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.ReadEntriesAsync"/>
    Task<LogPage> ReadEntriesAsync(Guid userId, Guid id, long after, int limit, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.ListMembersAsync"/>
    Task<MemberPage> ListMembersAsync(Guid userId, Guid id, Guid after, int limit, int receiptsUpTo, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.SearchAsync"/>
    Task<SearchPage> SearchAsync(Guid userId, MessageSearch search, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.ListChannelsAsync"/>
    Task<ChannelPage> ListChannelsAsync(Guid userId, ChannelSearch search, CancellationToken cancellationToken = default);

    /// <summary>Answers several calls of <see cref="IConversationReaderGrain.SyncAsync"/>, in one read.</summary>
    Task<SyncedConversation[][]> SyncAsync(SyncCall[] calls, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.GetLogIdAsync"/>
    Task<Guid> GetLogIdAsync(CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.CheckUsersAsync"/>
    Task<ReachableUsers> CheckUsersAsync(Guid userId, Guid[] others, CancellationToken cancellationToken = default);

    /// <summary>Blocks a user, or ends that.</summary>
    Task SetBlockAsync(Guid userId, Guid blockedId, bool isBlocked, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.ListBlockedAsync"/>
    Task<UserPage> ListBlockedAsync(Guid userId, Guid after, int limit, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="IConversationReaderGrain.SetMutedAsync"/>
    Task<ConversationError> SetMutedAsync(Guid userId, Guid id, bool muted, CancellationToken cancellationToken = default);
}

/// <summary>What one client asks for when it returns.</summary>
internal sealed record SyncCall(Guid UserId, SyncItem[] Items);

/// <summary>A claim of a conversation.</summary>
/// <param name="Id">The conversation.</param>
/// <param name="IfEpoch">Only if the conversation still has this epoch; -1 for any.</param>
internal readonly record struct Claim(Guid Id, long IfEpoch);

/// <summary>Epoch and head of a conversation.</summary>
internal sealed record Claimed(long Epoch, long Head);

/// <summary>Consecutive new entries of one conversation.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Epoch">The epoch of the activation that appends.</param>
/// <param name="Head">The head that the first entry follows.</param>
/// <param name="Entries">With the seqs from <paramref name="Head"/> + 1 on.</param>
internal sealed record LogRun(Guid ConversationId, long Epoch, long Head, NewEntry[] Entries);

/// <summary>An entry to append, and the member that it is about.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="UserId">For entries about a member: the user.</param>
/// <param name="Role">For an added member or another role: one of <see cref="MemberRoles"/>.</param>
/// <param name="VisibleFrom">For an added member: the first seq that the member may read; 0 for the entry's own seq.</param>
/// <param name="Value">The new title or the new rule.</param>
internal sealed record NewEntry(ConversationEntry Entry, Guid? UserId = null, string? Role = null, long? VisibleFrom = null, string? Value = null);

/// <summary>What became of a run.</summary>
internal enum AppendOutcome
{
    /// <summary>Its entries are in the log.</summary>
    Stored,

    /// <summary>A client id of the run is in the log already. Nothing was written.</summary>
    Known,

    /// <summary>Another session has the row locked. Nothing was written.</summary>
    Busy,

    /// <summary>The conversation has another epoch or head. Nothing was written.</summary>
    Fenced,
}

/// <summary>What a step of an erasure leaves.</summary>
internal enum ErasureStep
{
    /// <summary>Nothing.</summary>
    Done,

    /// <summary>More rows.</summary>
    More,

    /// <summary>Another worker has made a step in the last ten seconds. Nothing was changed.</summary>
    Taken,
}

/// <summary>A conversation's row and its present members.</summary>
internal sealed record ConversationRow(
    string Kind, string? Title, string NewcomersSee, DateTimeOffset? ClosedAt, DateTimeOffset LastSentAt, bool IsBlocked, IReadOnlyList<MemberRow> Members);

/// <summary>A present member's row.</summary>
/// <param name="UserId">The member.</param>
/// <param name="Role">One of <see cref="MemberRoles"/>.</param>
/// <param name="VisibleFrom">The first seq that the member may read.</param>
/// <param name="Read">The read marker.</param>
/// <param name="JoinedSeq">Seq of the entry that added the member.</param>
/// <param name="Shown">The read marker that other members may know.</param>
internal sealed record MemberRow(Guid UserId, string Role, long VisibleFrom, long Read, long JoinedSeq, long Shown);

/// <summary>A member's row, present or former.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Role">The role; that of a former member is the last one.</param>
/// <param name="LeftSeq">Seq of the newest entry that ended or barred the membership; <see langword="null"/> for a present member.</param>
/// <param name="RemovedBy">The member that removed the user. <see langword="null"/> if the user left.</param>
internal sealed record FormerMember(Guid UserId, string Role, long? LeftSeq, Guid? RemovedBy);

/// <summary>An entry as stored, and the reactions to it.</summary>
internal sealed record StoredEntry(ConversationEntry Entry, IReadOnlyList<(Guid UserId, string Emoji)> Reactions);

/// <summary>A read marker to move forward.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="UserId">The member.</param>
/// <param name="Seq">The newest entry that the member has read.</param>
/// <param name="IsHidden">Whether the member is invisible: other members do not get to know the marker.</param>
internal readonly record struct ReadMark(Guid ConversationId, Guid UserId, long Seq, bool IsHidden = false);
