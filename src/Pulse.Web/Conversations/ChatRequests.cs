using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Pulse.Web.Conversations;

/// <summary>Body of <c>POST /conversations</c>.</summary>
/// <param name="Kind"><c>direct</c>, <c>group</c> or <c>channel</c>.</param>
/// <param name="Title">At most 200 characters. Not for a direct conversation.</param>
/// <param name="Members">Ids of the other users. Exactly one for a direct conversation.</param>
/// <param name="ClientId">A UUID that the client chose for this conversation. Repeating it gives the first answer.</param>
/// <param name="NewcomersSee"><c>all</c> (default) or <c>since-joining</c>. Not for a direct conversation.</param>
internal sealed record CreateConversationRequest(
    [property: Required] string? Kind, string? Title, string[]? Members, [property: Required] string? ClientId, string? NewcomersSee);

/// <summary>Body of <c>PATCH /conversations/{id}</c>: one member or both.</summary>
/// <param name="Title">At most 200 characters.</param>
/// <param name="NewcomersSee"><c>all</c> or <c>since-joining</c>.</param>
internal sealed record ChangeConversationRequest(string? Title, string? NewcomersSee);

/// <summary>Body of <c>PUT /conversations/{id}/members/{userId}</c>; may be absent.</summary>
/// <param name="Role"><c>owner</c>, <c>moderator</c>, <c>member</c> or <c>reader</c>. Default <c>member</c> for a new member.</param>
internal sealed record MemberRequest(string? Role);

/// <summary>A message to send: the body of <c>POST /conversations/{id}/messages</c>, and an argument of the hub's <c>SendMessage</c>.</summary>
/// <param name="ClientId">A UUID that the client chose for this message. Repeating it gives the first answer.</param>
/// <param name="Text">1 to 8,000 UTF-16 code units after trimming.</param>
/// <param name="ReplyTo">Seq of the message that this one answers.</param>
/// <param name="Mentions">User ids of members, at most 50.</param>
/// <param name="After">Client id of the sender's message that must come before this one.</param>
/// <param name="Read">Seq up to which the sender has read.</param>
public sealed record SendMessageRequest(
    [property: Required] string? ClientId, [property: Required] string? Text, long? ReplyTo = null, string[]? Mentions = null,
        string? After = null,
    long? Read = null);

/// <summary>A message's new text: the body of <c>PATCH /conversations/{id}/messages/{seq}</c>, and an argument of the hub's <c>EditMessage</c>.</summary>
/// <param name="Text">As for a message.</param>
/// <param name="Mentions">As for a message.</param>
/// <param name="Edited">The newest <c>editedSeq</c> that the client knows, 0 for none; absent to edit whatever is there.</param>
public sealed record EditMessageRequest([property: Required] string? Text, string[]? Mentions = null, long? Edited = null);

/// <summary>Body of <c>PUT /conversations/{id}/read</c>.</summary>
/// <param name="Seq">Seq up to which the user has read. A lower seq than before changes nothing.</param>
internal sealed record ReadRequest([property: Required] long? Seq);

/// <summary>What a client has of one conversation, for the hub's <c>SyncConversations</c>.</summary>
/// <param name="Id">The conversation.</param>
/// <param name="Seq">The newest entry that the client has.</param>
/// <param name="Read">The read marker that the client knows.</param>
public sealed record SyncRequest(string? Id, long Seq, long Read);

/// <summary>How the bodies are read: exact names, no unknown or repeated member.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(CreateConversationRequest))]
[JsonSerializable(typeof(ChangeConversationRequest))]
[JsonSerializable(typeof(MemberRequest))]
[JsonSerializable(typeof(SendMessageRequest))]
[JsonSerializable(typeof(EditMessageRequest))]
[JsonSerializable(typeof(ReadRequest))]
internal sealed partial class StrictChatJson : JsonSerializerContext;
