using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>Reads conversations for the front ends, which have no connection to the database of their own.</summary>
[StatelessWorker(maxLocalWorkers: 4), Reentrant, GrainType("conversationreader")]
internal sealed class ConversationReaderGrain(IConversationStore store, ConversationWriter writer, ErasedMembers erased, InboxTable inbox, IOptions<ChatOptions> options)
    : Grain, IConversationReaderGrain
{
    private const int MembersPerPage = 200;
    private const int OwnPerPage = 200;
    private const int BlockedPerPage = 200;

    public Task<ConversationSummary[]> ListAsync(Guid userId, int limit, ListCursor? before) => store.ListAsync(userId, limit, before);

    public Task<ConversationLookup> FindAsync(Guid userId, Guid conversationId) => store.FindAsync(userId, conversationId);

    public Task<ConversationSummary?[]> FindManyAsync(MemberOf[] parts) => store.FindManyAsync(parts);

    public Task<OwnMessage[]> ReadOwnAsync(Guid userId, Guid conversationId, long afterSeq) => store.ReadOwnAsync(userId, conversationId, afterSeq, OwnPerPage);

    public Task<OwnMessage[]> ReadOwnAfterAsync(Guid userId, Guid conversationId, Guid afterClientId) =>
        store.ReadOwnAfterAsync(userId, conversationId, afterClientId, OwnPerPage);

    public Task EraseAsync(Guid userId) => erased.EraseAsync(userId);

    public Task<LogPage> ReadMessagesAsync(Guid userId, Guid conversationId, MessageRange range) => store.ReadMessagesAsync(userId, conversationId, range);

    public Task<LogPage> ReadEntriesAsync(Guid userId, Guid conversationId, long after, int limit) =>
        store.ReadEntriesAsync(userId, conversationId, after, limit);

    public Task<MemberPage> ListMembersAsync(Guid userId, Guid conversationId, Guid after) =>
        store.ListMembersAsync(userId, conversationId, after, MembersPerPage, options.Value.ReceiptsUpTo);

    public Task<SearchPage> SearchAsync(Guid userId, MessageSearch search) => store.SearchAsync(userId, search);

    public Task<ChannelPage> ListChannelsAsync(Guid userId, ChannelSearch search) => store.ListChannelsAsync(userId, search);

    public Task<SyncedConversation[]> SyncAsync(Guid userId, SyncItem[] items) => writer.SyncAsync(new(userId, items));

    public Task<Guid> GetLogIdAsync() => store.GetLogIdAsync();

    public Task<ReachableUsers> CheckUsersAsync(Guid userId, Guid[] others) => store.CheckUsersAsync(userId, others);

    public Task SetBlockAsync(Guid userId, Guid blockedId, bool isBlocked) => store.SetBlockAsync(userId, blockedId, isBlocked);

    public Task<UserPage> ListBlockedAsync(Guid userId, Guid after) => store.ListBlockedAsync(userId, after, BlockedPerPage);

    public async Task<ConversationError> SetMutedAsync(Guid userId, Guid conversationId, bool muted)
    {
        var error = await store.SetMutedAsync(userId, conversationId, muted);
        if (error == ConversationError.None) inbox.Publish(conversationId, head: 0, [], [userId]);
        return error;
    }
}
