using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Pulse.Conversations;
using Pulse.Web.Http;
using Pulse.Web.Tokens;

namespace Pulse.Web.Conversations;

/// <summary>Conversations, their members, and blocks.</summary>
internal static class ConversationEndpoints
{
    private const int StandardPage = 50;
    private const int MaxPage = 100;

    /// <summary>Maps the routes below <c>/conversations</c>, <c>/users/{id}/block</c> and <c>/users/blocked</c>.</summary>
    public static void MapConversations(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("").WithTags("Chat").RequireAuthorization().AddEndpointFilter<ChatRefusalFilter>()
            .WithMetadata(new RequestSizeLimitAttribute(ChatInput.MaxBytes))
            .PathId("id", "Id of the conversation. In /users: user id.").PathId("userId", "User id.");
        group.RequireChatDeadline();
        group.MapPost("/conversations", CreateAsync).WithSummary("Create a conversation, or find the one that exists")
            .WithDescription("201 for a new one, 200 for a repetition with the same clientId and for the pair of a direct conversation.")
            .Reads(typeof(CreateConversationRequest))
            .Refuses(
                ProblemTypes.InvalidArgument, ProblemTypes.UserNotFound, ProblemTypes.UserNotSynced, ProblemTypes.CannotMessage,
                    ProblemTypes.TooManyMembers,
                ProblemTypes.ClientIdReused, ProblemTypes.TooManyLookups, ProblemTypes.TooManyMessages);
        group.MapGet("/conversations", ListAsync).WithSummary("List the caller's conversations, newest first").Limit(StandardPage, MaxPage)
            .Query("before", "The before of the previous page.").Refuses(ProblemTypes.InvalidArgument);
        group.MapGet("/conversations/{id}", FindAsync).WithSummary("Read a conversation").RefusesRead();
        group.MapPatch("/conversations/{id}", ChangeAsync).WithSummary("Change title or rules").Reads(typeof(ChangeConversationRequest))
            .RefusesCommand(ProblemTypes.NotYours, ProblemTypes.NotForDirect);
        group.MapDelete("/conversations/{id}", CloseAsync).WithSummary("Close a conversation")
            .RefusesCommand(ProblemTypes.NotYours, ProblemTypes.NotForDirect);
        group.MapGet("/conversations/{id}/members", ListMembersAsync).WithSummary("List members")
            .QueryId("after", "The after of the previous page.").RefusesRead();
        group.MapPut("/conversations/{id}/members/{userId}", SetMemberAsync).WithSummary("Add a member, join a channel, or set a role")
            .Reads(typeof(MemberRequest), isRequired: false)
            .RefusesCommand(
                ProblemTypes.NotYours, ProblemTypes.CannotMessage, ProblemTypes.UserNotFound, ProblemTypes.UserNotSynced,
                    ProblemTypes.NotForDirect,
                ProblemTypes.LastOwner, ProblemTypes.TooManyMembers, ProblemTypes.TooManyLookups);
        group.MapDelete("/conversations/{id}/members/{userId}", RemoveMemberAsync).WithSummary("Remove a member, or leave")
            .RefusesCommand(ProblemTypes.NotYours, ProblemTypes.NotForDirect, ProblemTypes.LastOwner);
        group.MapPut("/conversations/{id}/mute", (string id, SignedInUser user, ConversationCalls calls) =>
            SetMutedAsync(id, user, calls, muted: true))
            .WithSummary("Mute a conversation").RefusesRead();
        group.MapDelete("/conversations/{id}/mute", (string id, SignedInUser user, ConversationCalls calls) =>
            SetMutedAsync(id, user, calls, muted: false))
            .WithSummary("Unmute a conversation").RefusesRead();
        group.MapPut("/users/{id}/block", (string id, SignedInUser user, ConversationCalls calls) =>
            SetBlockAsync(id, user, calls, on: true)).Refuses(ProblemTypes.UnknownOutcome)
            .WithSummary("Block a user").Refuses(ProblemTypes.InvalidArgument, ProblemTypes.UserNotFound, ProblemTypes.TooManyLookups);
        group.MapDelete("/users/{id}/block", (string id, SignedInUser user, ConversationCalls calls) =>
            SetBlockAsync(id, user, calls, on: false)).Refuses(ProblemTypes.UnknownOutcome)
            .WithSummary("Unblock a user").Refuses(ProblemTypes.InvalidArgument, ProblemTypes.TooManyLookups);
        group.MapGet("/users/blocked", ListBlockedAsync).WithSummary("List the users that the caller blocks")
            .QueryId("after", "The after of the previous page.").Refuses(ProblemTypes.InvalidArgument);
        group.MapMessages();
        group.MapSearch();
    }

    private static async Task<Results<Created<ConversationResponse>, Ok<ConversationResponse>>> CreateAsync(
        HttpContext context, SignedInUser user, ConversationCalls calls)
    {
        var request = await ChatInput.ReadAsync(context, StrictChatJson.Default.CreateConversationRequest);
        var (id, isNew) = await calls.CreateAsync(user.Id, request, context.RequestAborted);
        var response = ConversationResponse.From(await calls.FindAsync(user.Id, id));
        return isNew ? TypedResults.Created($"{context.Request.PathBase}/conversations/{id:D}", response) : TypedResults.Ok(response);
    }

    private static async Task<Ok<ConversationsResponse>> ListAsync(SignedInUser user, ConversationCalls calls, string? limit, string? before)
    {
        var count = ChatInput.Limit(limit, StandardPage, MaxPage);
        var found = await calls.Reader.ListAsync(user.Id, count, ChatInput.Cursor(before));
        var next = found.Length == count ? ChatInput.ToText(new ListCursor(found[^1].OrderAt, found[^1].Id)) : null;
        return TypedResults.Ok(new ConversationsResponse(Array.ConvertAll(found, ConversationResponse.From), next));
    }

    private static async Task<Ok<ConversationResponse>> FindAsync(string id, SignedInUser user, ConversationCalls calls) =>
        TypedResults.Ok(ConversationResponse.From(await calls.FindAsync(user.Id, ChatInput.ConversationIdOf(id))));

    private static async Task<Ok<ConversationResponse>> ChangeAsync(HttpContext context, string id, SignedInUser user, ConversationCalls calls)
    {
        var conversationId = ChatInput.ConversationIdOf(id);
        await calls.ChangeAsync(user.Id, conversationId, await ChatInput.ReadAsync(context, StrictChatJson.Default.ChangeConversationRequest));
        return TypedResults.Ok(ConversationResponse.From(await calls.FindAsync(user.Id, conversationId)));
    }

    private static async Task<Ok<SeqResponse>> CloseAsync(string id, SignedInUser user, ConversationCalls calls) =>
        TypedResults.Ok(new SeqResponse((await calls.CloseAsync(user.Id, ChatInput.ConversationIdOf(id))).Seq));

    private static async Task<Ok<MembersResponse>> ListMembersAsync(string id, SignedInUser user, ConversationCalls calls, string? after)
    {
        var conversationId = ChatInput.ConversationIdOf(id);
        var page = await calls.Reader.ListMembersAsync(user.Id, conversationId, AfterOf(after));
        ChatProblems.ThrowIfRefused(page.Error, conversationId);
        return TypedResults.Ok(new MembersResponse(
            Array.ConvertAll(page.Members, member => new MemberResponse(member.User.UserId, member.User.Name, member.User.Avatar, member.Role, member.Read)),
            page.HasMore ? page.Members[^1].User.UserId.ToString("D") : null));
    }

    private static async Task<Ok<SeqResponse>> SetMemberAsync(HttpContext context, string id, string userId, SignedInUser user, ConversationCalls calls)
    {
        var conversationId = ChatInput.ConversationIdOf(id);
        var memberId = ChatInput.Id(userId, "userId");
        var request = await ChatInput.ReadOptionalAsync(context, StrictChatJson.Default.MemberRequest);
        return TypedResults.Ok(new SeqResponse((await calls.SetMemberAsync(user.Id, conversationId, memberId, request?.Role, context.RequestAborted)).Seq));
    }

    private static async Task<Ok<SeqResponse>> RemoveMemberAsync(string id, string userId, SignedInUser user, ConversationCalls calls) =>
        TypedResults.Ok(new SeqResponse((await calls.RemoveMemberAsync(user.Id, ChatInput.ConversationIdOf(id), ChatInput.Id(userId, "userId"))).Seq));

    private static async Task<NoContent> SetMutedAsync(string id, SignedInUser user, ConversationCalls calls, bool muted)
    {
        var conversationId = ChatInput.ConversationIdOf(id);
        ChatProblems.ThrowIfRefused(await calls.Reader.SetMutedAsync(user.Id, conversationId, muted), conversationId);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> SetBlockAsync(string id, SignedInUser user, ConversationCalls calls, bool on)
    {
        await calls.SetBlockAsync(user.Id, ChatInput.Id(id, "The user id"), on);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<BlockedUsersResponse>> ListBlockedAsync(SignedInUser user, ConversationCalls calls, string? after)
    {
        var page = await calls.Reader.ListBlockedAsync(user.Id, AfterOf(after));
        return TypedResults.Ok(new BlockedUsersResponse(
            Array.ConvertAll(page.Users, blocked => new BlockedUserResponse(blocked.UserId, blocked.Name, blocked.Avatar)),
            page.HasMore ? page.Users[^1].UserId.ToString("D") : null));
    }

    // Of a page in the order of ids.
    private static Guid AfterOf(string? after) => string.IsNullOrEmpty(after) ? Guid.Empty : ChatInput.Id(after, "after");
}
