using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Pulse.Conversations;

namespace Pulse.Web.Conversations;

/// <summary>New entries of a conversation that the client has open.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="From">Seq of the first entry.</param>
/// <param name="Entries">Consecutive entries.</param>
/// <param name="Head">Seq of the newest entry that the front end has.</param>
public sealed record EntriesAddedMessage(Guid ConversationId, long From, EntryResponse[] Entries, long Head);

/// <summary>Read markers that have moved.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Markers">The furthest of each member.</param>
public sealed record ReadChangedMessage(Guid ConversationId, ReadMarker[] Markers);

/// <summary>All typing users.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="UserIds">At most 5.</param>
public sealed record TypingChangedMessage(Guid ConversationId, Guid[] UserIds);

/// <summary>The client reads too slowly: the conversation is not open on this connection any more.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Head">Seq of the newest entry.</param>
public sealed record BehindMessage(Guid ConversationId, long Head);

/// <summary>The user is no member any more.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Reason"><c>removed</c>.</param>
public sealed record ConversationGoneMessage(Guid ConversationId, string Reason);

/// <summary>Conversations in which something has changed that the client does not have open.</summary>
/// <param name="Conversations">Items as in <c>GET /conversations</c>.</param>
public sealed record InboxChangedMessage(ConversationResponse[] Conversations);

/// <summary>The hub's messages about conversations, serialized once for all sockets that get them.</summary>
internal static class ChatMessages
{
    public static SerializedHubMessage EntriesAdded(Guid id, ConversationEntry[] entries, long head) => Message(
        nameof(IConversationClient.EntriesAdded), new EntriesAddedMessage(id, entries[0].Seq, Array.ConvertAll(entries, entry => new EntryResponse(entry)), head));

    public static SerializedHubMessage ReadChanged(Guid id, ReadMarker[] markers) => Message(nameof(IConversationClient.ReadChanged), new ReadChangedMessage(id, markers));

    public static SerializedHubMessage TypingChanged(Guid id, Guid[] users) => Message(nameof(IConversationClient.TypingChanged), new TypingChangedMessage(id, users));

    public static SerializedHubMessage Behind(Guid id, long head) => Message(nameof(IConversationClient.Behind), new BehindMessage(id, head));

    public static SerializedHubMessage ConversationGone(Guid id, string reason) => Message(nameof(IConversationClient.ConversationGone), new ConversationGoneMessage(id, reason));

    public static SerializedHubMessage InboxChanged(ConversationResponse[] items) => Message(nameof(IConversationClient.InboxChanged), new InboxChangedMessage(items));

    private static SerializedHubMessage Message(string method, object argument) => new(new InvocationMessage(method, [argument]));
}
