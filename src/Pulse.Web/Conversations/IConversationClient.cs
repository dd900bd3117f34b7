namespace Pulse.Web.Conversations;

/// <summary>The hub's messages about conversations. The method names are the wire names.</summary>
public interface IConversationClient
{
    /// <summary>New entries of an open conversation, contiguous from the head that <c>OpenConversation</c> answered.</summary>
    Task EntriesAdded(EntriesAddedMessage message);

    /// <summary>Conversations that have changed and are not open on this connection, and changes of the user's own part in any.</summary>
    Task InboxChanged(InboxChangedMessage message);

    /// <summary>Read markers of an open conversation have moved.</summary>
    Task ReadChanged(ReadChangedMessage message);

    /// <summary>Other users are typing in an open conversation.</summary>
    Task TypingChanged(TypingChangedMessage message);

    /// <summary>The client reads too slowly. The conversation is closed on this connection: fetch what is missing, then open it again.</summary>
    Task Behind(BehindMessage message);

    /// <summary>The user is no member any more.</summary>
    Task ConversationGone(ConversationGoneMessage message);
}
