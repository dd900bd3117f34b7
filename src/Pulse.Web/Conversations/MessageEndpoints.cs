using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Conversations;
using Pulse.Web.Http;
using Pulse.Web.Tokens;

namespace Pulse.Web.Conversations;

/// <summary>Messages, reactions and read markers of one conversation.</summary>
internal static class MessageEndpoints
{
    private const int StandardPage = 50;
    private const int MaxMessages = 100;
    private const int MaxEntries = 500;

    /// <summary>Maps the routes below <c>/conversations/{id}</c> that are about its log.</summary>
    public static void MapMessages(this IEndpointRouteBuilder group)
    {
        group.MapPost("/conversations/{id}/messages", SendAsync).WithSummary("Send a message")
            .WithDescription("201 for a new message. A repetition with the same clientId is answered 200 with the first answer.")
            .Reads(typeof(SendMessageRequest))
            .RefusesCommand(ProblemTypes.ReadOnly, ProblemTypes.CannotMessage, ProblemTypes.ClientIdReused,
                ProblemTypes.PredecessorMissing, ProblemTypes.TooLong);
        group.MapGet("/conversations/{id}/messages", ReadMessagesAsync).WithSummary("Read history")
            .WithDescription("The newest messages, or those before, after or around a seq. Give at most one of the three.")
            .QueryNumber("before", "Messages before this seq.", min: 0).QueryNumber("after", "Messages after this seq.", min: 0)
            .QueryNumber("around", "Messages on both sides of this seq.", min: 0).Limit(StandardPage, MaxMessages).RefusesRead();
        group.MapGet("/conversations/{id}/entries", ReadEntriesAsync).WithSummary("Read the log")
            .QueryNumber("after", "Entries after this seq. Default 0.", min: 0).Limit(StandardPage, MaxEntries).RefusesRead();
        group.MapPatch("/conversations/{id}/messages/{seq}", EditAsync).WithSummary("Edit a message").Reads(typeof(EditMessageRequest))
            .PathNumber("seq", "Seq of the message.", min: 1)
            .RefusesCommand(ProblemTypes.ReadOnly, ProblemTypes.NotYours, ProblemTypes.CannotMessage, ProblemTypes.EditConflict,
                ProblemTypes.TooLong);
        group.MapDelete("/conversations/{id}/messages/{seq}", DeleteAsync).WithSummary("Delete a message")
            .PathNumber("seq", "Seq of the message.", min: 1)
            .RefusesCommand(ProblemTypes.NotYours);
        var reactions = group.MapGroup("").PathNumber("seq", "Seq of the message.", min: 1)
            .Path("emoji", "One grapheme.").RefusesCommand(ProblemTypes.ReadOnly, ProblemTypes.CannotMessage);
        reactions.MapPut("/conversations/{id}/messages/{seq}/reactions/{emoji}",
            (string id, string seq, string emoji, SignedInUser user, ConversationCalls calls) =>
            ReactAsync(id, seq, emoji, user, calls, on: true))
            .WithSummary("Add a reaction");
        reactions.MapDelete("/conversations/{id}/messages/{seq}/reactions/{emoji}",
            (string id, string seq, string emoji, SignedInUser user, ConversationCalls calls) =>
            ReactAsync(id, seq, emoji, user, calls, on: false))
            .WithSummary("Remove a reaction");
        group.MapPut("/conversations/{id}/read", MarkReadAsync).WithSummary("Move the read marker forward").Reads(typeof(ReadRequest))
            .RefusesRead().Refuses(ProblemTypes.TooManyMessages);
    }

    private static async Task<Results<Created<SentResponse>, Ok<SentResponse>>> SendAsync(HttpContext context, string id, SignedInUser user, ConversationCalls calls)
    {
        var conversationId = ChatInput.ConversationIdOf(id);
        var answer = await calls.SendAsync(user.Id, conversationId, await ChatInput.ReadAsync(context, StrictChatJson.Default.SendMessageRequest));
        var response = new SentResponse(answer.Seq, answer.SentAt);
        return answer.IsRepeat
            ? TypedResults.Ok(response)
            : TypedResults.Created($"{context.Request.PathBase}/conversations/{conversationId:D}/messages?around={answer.Seq}", response);
    }

    private static async Task<Ok<MessagesResponse>> ReadMessagesAsync(
        string id, SignedInUser user, ConversationCalls calls, string? before, string? after, string? around, string? limit)
    {
        var range = new MessageRange
        {
            Before = ChatInput.OptionalSeq(before, "before"), After = ChatInput.OptionalSeq(after, "after"), Around = ChatInput.OptionalSeq(around, "around"),
            Limit = ChatInput.Limit(limit, StandardPage, MaxMessages),
        };
        if (new[] { range.Before, range.After, range.Around }.Count(seq => seq is not null) > 1) throw ChatInput.Invalid("Give one of before, after and around.");
        var conversationId = ChatInput.ConversationIdOf(id);
        var page = await calls.Reader.ReadMessagesAsync(user.Id, conversationId, range);
        ChatProblems.ThrowIfRefused(page.Error, conversationId);
        return TypedResults.Ok(new MessagesResponse(Array.ConvertAll(page.Entries, MessageResponse.From), page.From, page.Head, page.HasBefore, page.HasAfter));
    }

    private static async Task<Ok<EntriesResponse>> ReadEntriesAsync(string id, SignedInUser user, ConversationCalls calls, string? after, string? limit)
    {
        var from = ChatInput.OptionalSeq(after, "after") ?? 0;
        var conversationId = ChatInput.ConversationIdOf(id);
        var page = await calls.Reader.ReadEntriesAsync(user.Id, conversationId, from, ChatInput.Limit(limit, StandardPage, MaxEntries));
        ChatProblems.ThrowIfRefused(page.Error, conversationId);
        return TypedResults.Ok(new EntriesResponse(page.From, page.Head, Array.ConvertAll(page.Entries, entry => new EntryResponse(entry))));
    }

    private static async Task<Ok<SeqResponse>> EditAsync(HttpContext context, string id, string seq, SignedInUser user, ConversationCalls calls)
    {
        var (conversationId, target) = (ChatInput.ConversationIdOf(id), ChatInput.Seq(seq, "seq"));
        var request = await ChatInput.ReadAsync(context, StrictChatJson.Default.EditMessageRequest);
        return TypedResults.Ok(new SeqResponse((await calls.EditAsync(user.Id, conversationId, target, request)).Seq));
    }

    private static async Task<Ok<SeqResponse>> DeleteAsync(string id, string seq, SignedInUser user, ConversationCalls calls) =>
        TypedResults.Ok(new SeqResponse((await calls.DeleteAsync(user.Id, ChatInput.ConversationIdOf(id), ChatInput.Seq(seq, "seq"))).Seq));

    private static async Task<Ok<SeqResponse>> ReactAsync(string id, string seq, string emoji, SignedInUser user, ConversationCalls calls, bool on) =>
        TypedResults.Ok(new SeqResponse((await calls.ReactAsync(user.Id, ChatInput.ConversationIdOf(id), ChatInput.Seq(seq, "seq"), emoji, on)).Seq));

    private static async Task<Ok<ReadResponse>> MarkReadAsync(HttpContext context, string id, SignedInUser user, ConversationCalls calls)
    {
        var conversationId = ChatInput.ConversationIdOf(id);
        var request = await ChatInput.ReadAsync(context, StrictChatJson.Default.ReadRequest);
        var answer = await calls.MarkReadAsync(user.Id, conversationId, request.Seq);
        return TypedResults.Ok(new ReadResponse(answer.Read, answer.Unread.Messages, answer.Unread.More, answer.Unread.Mentions));
    }
}
