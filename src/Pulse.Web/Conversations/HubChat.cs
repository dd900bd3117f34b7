using Microsoft.AspNetCore.SignalR;
using Pulse.Conversations;
using Pulse.Web.Connections;

namespace Pulse.Web.Conversations;

/// <summary>The hub's calls about conversations, for the hub class to delegate to.</summary>
internal sealed class HubChat(ConversationCalls calls, OpenConversations conversations, ChatSockets sockets, InboxService inbox, LogIdentity logs, TimeProvider time)
{
    /// <summary>How many conversations one call may ask for.</summary>
    public const int MaxSynced = 200;

    /// <summary>A socket has connected. What changes in its user's conversations from now on is written to it after <see cref="Begin"/>.</summary>
    /// <returns>The id of the logs; <see langword="null"/> while it is unknown.</returns>
    public async ValueTask<Guid?> ConnectAsync(HubCallerContext context, LiveConnection connection)
    {
        var socket = new ChatSocket(context.Features.Get<HubConnectionContext>()!, connection.UserId, () => connection.EndedBecause is not null, (id, due) => inbox.SendAgain(connection.UserId, id, due));
        context.Features.Set(socket);
        sockets.Add(socket);
        await inbox.RegisteredAsync();
        return await logs.GetAsync();
    }

    /// <summary>The client was sent <c>Connected</c>, which is its first message.</summary>
    public static void Begin(HubCallerContext context) => SocketOf(context).Begin();

    /// <summary>What the client missed in many conversations.</summary>
    public async Task<SyncResponse[]> SyncAsync(Guid userId, SyncRequest[]? items)
    {
        if (items is null || items.Length > MaxSynced) throw ChatInput.Invalid($"items is a list of at most {MaxSynced}; ask again for the others.");
        var asked = Array.ConvertAll(items, item => new SyncItem(
            ChatInput.Id(item?.Id, "Each id"), item!.Seq >= 0 ? item.Seq : throw ChatInput.Invalid("seq must not be negative."), item.Read));
        return Array.ConvertAll(await calls.Reader.SyncAsync(userId, asked).WaitAsync(ConversationCalls.Timeout, time), SyncResponse.Of);
    }

    /// <summary>Opens a conversation on the caller's socket.</summary>
    public Task<OpenResponse> OpenAsync(HubCallerContext context, string? id, long afterSeq)
    {
        if (afterSeq < 0) throw ChatInput.Invalid("afterSeq must not be negative.");
        return conversations.OpenAsync(SocketOf(context), ChatInput.ConversationIdOf(id), afterSeq);
    }

    /// <summary>Closes a conversation on the caller's socket.</summary>
    public void Close(HubCallerContext context, string? id)
    {
        var (socket, conversationId) = (SocketOf(context), ChatInput.ConversationIdOf(id));

        // Changes of an open conversation are not written as inbox items. The socket now gets as an item what it does not get as an entry.
        if (conversations.Close(socket, conversationId)) inbox.SendAgain(socket.UserId, conversationId, new(IsOwn: false, IsLarge: false));
    }

    /// <summary>Sends a message.</summary>
    public async Task<SentResponse> SendAsync(Guid userId, string? id, SendMessageRequest? message)
    {
        var answer = await calls.SendAsync(userId, ChatInput.ConversationIdOf(id), message);
        return new(answer.Seq, answer.SentAt);
    }

    /// <summary>Replaces a message's text.</summary>
    public async Task<SeqResponse> EditAsync(Guid userId, string? id, long seq, EditMessageRequest? edit) =>
        new((await calls.EditAsync(userId, ChatInput.ConversationIdOf(id), seq, edit)).Seq);

    /// <summary>Deletes a message.</summary>
    public async Task<SeqResponse> DeleteAsync(Guid userId, string? id, long seq) =>
        new((await calls.DeleteAsync(userId, ChatInput.ConversationIdOf(id), seq)).Seq);

    /// <summary>Adds a reaction, or removes it.</summary>
    public async Task<SeqResponse> ReactAsync(Guid userId, string? id, long seq, string? emoji, bool on) =>
        new((await calls.ReactAsync(userId, ChatInput.ConversationIdOf(id), seq, emoji, on)).Seq);

    /// <summary>Moves the read marker.</summary>
    public async Task<ReadResponse> MarkReadAsync(Guid userId, string? id, long seq)
    {
        var answer = await calls.MarkReadAsync(userId, ChatInput.ConversationIdOf(id), seq);
        return new(answer.Read, answer.Unread.Messages, answer.Unread.More, answer.Unread.Mentions);
    }

    /// <summary>The user is typing.</summary>
    public Task TypeAsync(Guid userId, string? id) => calls.TypeAsync(userId, ChatInput.ConversationIdOf(id));

    /// <summary>The socket is gone.</summary>
    public void Disconnect(HubCallerContext context)
    {
        if (context.Features.Get<ChatSocket>() is not { } socket) return;
        sockets.Remove(socket);
        conversations.CloseAll(socket);
    }

    private static ChatSocket SocketOf(HubCallerContext context) => context.Features.Get<ChatSocket>()!;
}

/// <summary>Gives the hub's clients the refusals with their codes.</summary>
internal sealed class ChatRefusalHubFilter(ChannelAccess channels) : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(HubInvocationContext invocation, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(invocation);
        }
        catch (ChatRefusedException refused)
        {
            var socket = invocation.Context.Features.Get<ChatSocket>()!;
            throw new HubException((await channels.HideAsync(refused, socket.UserId, invocation.Context.ConnectionAborted)).ToHubText());
        }
    }
}
