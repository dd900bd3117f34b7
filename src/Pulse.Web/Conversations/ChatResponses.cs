using System.Text.Json;
using System.Text.Json.Serialization;
using Pulse.Conversations;
using Pulse.Web.Http;

namespace Pulse.Web.Conversations;

/// <summary>An entry of a log on the wire: <c>{seq, kind, senderId, sentAt, …}</c>, and what its kind adds.</summary>
[JsonConverter(typeof(EntryConverter))]
public readonly record struct EntryResponse(ConversationEntry Entry);

/// <summary>A message in history.</summary>
/// <param name="Seq">Its position in the conversation.</param>
/// <param name="SenderId">The sender.</param>
/// <param name="ClientId">The id that the sender's client chose.</param>
/// <param name="Text">The newest text. <see langword="null"/> for a deleted message.</param>
/// <param name="SentAt">When it was sent, for display only.</param>
/// <param name="ReplyTo">Seq of the message that this one answers.</param>
/// <param name="Mentions">Mentioned members.</param>
/// <param name="EditedSeq">Seq of the newest edit.</param>
/// <param name="DeletedSeq">Seq of the deletion.</param>
/// <param name="Reactions">Reactions by emoji.</param>
public sealed record MessageResponse(
    long Seq,
    Guid SenderId,
    Guid? ClientId,
    string? Text,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset SentAt,
    long? ReplyTo,
    Guid[] Mentions,
    long? EditedSeq,
    long? DeletedSeq,
    MessageReaction[] Reactions)
{
    /// <summary>The message of an entry.</summary>
    public static MessageResponse From(ConversationEntry entry) => new(
        entry.Seq, entry.SenderId, entry.ClientId, entry.Body, entry.SentAt, entry.ReplyTo, entry.Mentions, entry.EditedSeq, entry.DeletedSeq, entry.Reactions);
}

/// <summary>The caller's part in a conversation.</summary>
/// <param name="Role"><c>owner</c>, <c>moderator</c>, <c>member</c> or <c>reader</c>.</param>
/// <param name="From">The first seq that the caller can read.</param>
/// <param name="Read">Seq up to which the caller has read.</param>
/// <param name="Unread">Unread messages of others, at most the number that Pulse counts.</param>
/// <param name="UnreadMore">Whether there are more than <paramref name="Unread"/>.</param>
/// <param name="Mentions">Unread messages that mention the caller.</param>
/// <param name="Muted">Whether the caller has muted the conversation.</param>
public sealed record YouResponse(string Role, long From, long Read, int? Unread, bool UnreadMore, int? Mentions, bool Muted);

/// <summary>A conversation as the caller sees it.</summary>
/// <param name="Id">Id of the conversation.</param>
/// <param name="Kind"><c>direct</c>, <c>group</c> or <c>channel</c>.</param>
/// <param name="Title"><see langword="null"/> for a direct conversation.</param>
/// <param name="Head">Seq of the newest entry.</param>
/// <param name="LastAt">When the newest message was sent.</param>
/// <param name="Last">The newest message.</param>
/// <param name="Other">The other user of a direct conversation.</param>
/// <param name="You">The caller's part in it.</param>
/// <param name="NewcomersSee"><c>all</c> or <c>since-joining</c>.</param>
/// <param name="ClosedAt">When it was closed. <see langword="null"/> for an open one.</param>
public sealed record ConversationResponse(
    Guid Id,
    string Kind,
    string? Title,
    long Head,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? LastAt,
    MessageResponse? Last,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ConversationUser? Other,
    YouResponse You,
    string NewcomersSee,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? ClosedAt)
{
    /// <summary>The response for a summary.</summary>
    public static ConversationResponse From(ConversationSummary summary) => new(
        summary.Id, summary.Kind, summary.Title, summary.Head, summary.LastAt, summary.Last is null ? null : MessageResponse.From(summary.Last), summary.Other,
        new(summary.Role, summary.From, summary.Read, summary.Unread.Messages, summary.Unread.More, summary.Unread.Mentions, summary.Muted),
        summary.NewcomersSee, summary.ClosedAt);

    /// <summary>The response to members of a large conversation, whose clients show "new" from head and read marker alone.</summary>
    public ConversationResponse WithoutCounts() => this with { You = You with { Unread = null, UnreadMore = false, Mentions = null } };
}

/// <summary>A page of <c>GET /conversations</c>.</summary>
/// <param name="Items">Newest first.</param>
/// <param name="Before">The parameter of the next page. <see langword="null"/> after the last one.</param>
internal sealed record ConversationsResponse(ConversationResponse[] Items, string? Before);

/// <summary>A page of history.</summary>
/// <param name="Items">By seq.</param>
/// <param name="From">The first seq that the caller can read.</param>
/// <param name="Head">Seq of the newest entry of the conversation.</param>
/// <param name="HasBefore">Whether there are earlier messages.</param>
/// <param name="HasAfter">Whether there are later messages.</param>
internal sealed record MessagesResponse(MessageResponse[] Items, long From, long Head, bool HasBefore, bool HasAfter);

/// <summary>Entries in order.</summary>
/// <param name="From">The first seq that the caller can read.</param>
/// <param name="Head">Seq of the newest entry of the conversation.</param>
/// <param name="Entries">By seq.</param>
internal sealed record EntriesResponse(long From, long Head, EntryResponse[] Entries);

/// <summary>A member.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Name">Display name.</param>
/// <param name="Avatar">Picture URL, or <see langword="null"/>.</param>
/// <param name="Role"><c>owner</c>, <c>moderator</c>, <c>member</c> or <c>reader</c>.</param>
/// <param name="Read">Seq up to which the member has read. <see langword="null"/> in large conversations.</param>
internal sealed record MemberResponse(Guid UserId, string Name, string? Avatar, string Role, long? Read);

/// <summary>A page of members.</summary>
/// <param name="Items">By user id.</param>
/// <param name="After">The parameter of the next page. <see langword="null"/> after the last one.</param>
internal sealed record MembersResponse(MemberResponse[] Items, string? After);

/// <summary>A user that the caller blocks.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Name">Display name.</param>
/// <param name="Avatar">Picture URL, or <see langword="null"/>.</param>
internal sealed record BlockedUserResponse(Guid UserId, string Name, string? Avatar);

/// <summary>A page of users that the caller blocks.</summary>
/// <param name="Items">By user id.</param>
/// <param name="After">The parameter of the next page. <see langword="null"/> after the last one.</param>
internal sealed record BlockedUsersResponse(BlockedUserResponse[] Items, string? After);

/// <summary>A message that a search found.</summary>
/// <param name="ConversationId">Its conversation.</param>
/// <param name="Seq">Its position there.</param>
/// <param name="SenderId">The sender.</param>
/// <param name="SentAt">When it was sent, for display only.</param>
/// <param name="Snippet">A part of its text.</param>
internal sealed record SearchHitResponse(
    Guid ConversationId, long Seq, Guid SenderId, [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset SentAt, string Snippet);

/// <summary>A page of <c>GET /search</c>.</summary>
/// <param name="Items">Newest first.</param>
/// <param name="Before">The parameter of the next page. <see langword="null"/> after the last one.</param>
/// <param name="More">Whether there may be more messages.</param>
internal sealed record SearchResponse(SearchHitResponse[] Items, string? Before, bool More);

/// <summary>A channel that the caller may join.</summary>
/// <param name="Id">Id of the conversation.</param>
/// <param name="Title">The title.</param>
/// <param name="Members">Number of members.</param>
/// <param name="LastAt">When the newest message was sent, or <see langword="null"/>.</param>
internal sealed record ChannelResponse(
    Guid Id, string Title, int Members, [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? LastAt);

/// <summary>A page of <c>GET /channels</c>.</summary>
/// <param name="Items">By title.</param>
/// <param name="After">The parameter of the next page. <see langword="null"/> after the last one.</param>
internal sealed record ChannelsResponse(ChannelResponse[] Items, string? After);

/// <summary>The position of a message.</summary>
/// <param name="Seq">Its position in the conversation.</param>
/// <param name="SentAt">When it was sent, for display only.</param>
public sealed record SentResponse(long Seq, [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset SentAt);

/// <summary>The position of an entry.</summary>
/// <param name="Seq">Its position in the conversation.</param>
public sealed record SeqResponse(long Seq);

/// <summary>A read marker and what follows it.</summary>
/// <param name="Read">Seq up to which the caller has read.</param>
/// <param name="Unread">Unread messages of others, at most the number that Pulse counts.</param>
/// <param name="UnreadMore">Whether there are more than <paramref name="Unread"/>.</param>
/// <param name="Mentions">Unread messages that mention the caller.</param>
public sealed record ReadResponse(long Read, int Unread, bool UnreadMore, int Mentions);

/// <summary>The answer to the hub's <c>OpenConversation</c>.</summary>
public sealed record OpenResponse(
    long From, long Head, EntryResponse[] Entries, bool TooFar, bool Reset, Guid[] Typing, ReadMarker[] Markers, OpenYouResponse You);

/// <summary>The caller's part in a conversation that was opened.</summary>
public sealed record OpenYouResponse(string Role, long From, long Read);

/// <summary>One answer of the hub's <c>SyncConversations</c>.</summary>
public sealed record SyncResponse(Guid Id, long Head, long From, long Read, EntryResponse[] Entries, bool TooFar, bool Gone, bool Reset)
{
    /// <summary>The response for one synced conversation.</summary>
    public static SyncResponse Of(SyncedConversation synced) => new(
        synced.Id, synced.Head, synced.From, synced.Read, Array.ConvertAll(synced.Entries, entry => new EntryResponse(entry)), synced.TooFar, synced.Gone, synced.Reset);
}

/// <summary>How answers are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ConversationResponse))]
[JsonSerializable(typeof(ConversationsResponse))]
[JsonSerializable(typeof(MessagesResponse))]
[JsonSerializable(typeof(EntriesResponse))]
[JsonSerializable(typeof(MembersResponse))]
[JsonSerializable(typeof(BlockedUsersResponse))]
[JsonSerializable(typeof(SearchResponse))]
[JsonSerializable(typeof(ChannelsResponse))]
[JsonSerializable(typeof(SentResponse))]
[JsonSerializable(typeof(SeqResponse))]
[JsonSerializable(typeof(ReadResponse))]
internal sealed partial class ChatJson : JsonSerializerContext;

/// <summary>Writes entries: each kind has its own members.</summary>
internal sealed class EntryConverter : JsonConverter<EntryResponse>
{
    private static readonly UtcTimeConverter s_time = new();

    public override EntryResponse Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Pulse only writes entries.");

    public override void Write(Utf8JsonWriter writer, EntryResponse value, JsonSerializerOptions options)
    {
        var entry = value.Entry;
        writer.WriteStartObject();
        writer.WriteNumber("seq", entry.Seq);
        writer.WriteString("kind", entry.Kind);
        writer.WriteString("senderId", entry.SenderId);
        writer.WritePropertyName("sentAt");
        s_time.Write(writer, entry.SentAt, options);
        if (entry.Target is { } target) writer.WriteNumber("target", target);
        switch (entry.Kind)
        {
            case EntryKinds.Message:
                if (entry.ClientId is { } clientId) writer.WriteString("clientId", clientId);
                WriteText(writer, entry);
                if (entry.ReplyTo is { } replyTo) writer.WriteNumber("replyTo", replyTo);
                else writer.WriteNull("replyTo");
                if (entry.EditedSeq is { } editedSeq) writer.WriteNumber("editedSeq", editedSeq);
                if (entry.DeletedSeq is { } deletedSeq) writer.WriteNumber("deletedSeq", deletedSeq);
                break;
            case EntryKinds.Edit:
                WriteText(writer, entry);
                break;
            default:
                // The bodies of all other kinds, those of later versions included, are JSON objects.
                if (entry.Body is not { Length: > 0 } body) break;
                using (var members = JsonDocument.Parse(body))
                {
                    if (members.RootElement.ValueKind != JsonValueKind.Object) break;
                    foreach (var member in members.RootElement.EnumerateObject())
                    {
                        // The kind of a new conversation: 'kind' is the entry's own.
                        if (member.NameEquals("kind")) writer.WriteString("conversationKind", member.Value.GetString());
                        // Written above, because it is a member of every entry.
                        else if (!member.NameEquals("senderId")) member.WriteTo(writer);
                    }
                }

                break;
        }

        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, ConversationEntry entry)
    {
        writer.WriteString("text", entry.Body);
        writer.WriteStartArray("mentions");
        foreach (var userId in entry.Mentions) writer.WriteStringValue(userId);
        writer.WriteEndArray();
    }
}
