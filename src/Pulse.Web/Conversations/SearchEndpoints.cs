using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Conversations;
using Pulse.Web.Http;
using Pulse.Web.Tokens;

namespace Pulse.Web.Conversations;

/// <summary>Searches in messages, and the channels that a user may join.</summary>
internal static class SearchEndpoints
{
    private const int HitsPerPage = 20;
    private const int MaxHits = 50;
    private const int ChannelsPerPage = 50;

    /// <summary>Maps <c>/search</c> and <c>/channels</c>.</summary>
    public static void MapSearch(this IEndpointRouteBuilder group)
    {
        group.MapGet("/search", SearchAsync).WithSummary("Search in messages").WithDescription("Newest first, in the conversations of the caller. A page may have no items and more: its before goes on.")
            .Query("q", "Words that the message has.").QueryId("conversation", "Searches in this conversation only.")
            .Query("before", "The before of the previous page.").Limit(HitsPerPage, MaxHits)
            .RefusesRead().Refuses(ProblemTypes.TooManyRequests, ProblemTypes.ChatUnavailable);
        group.MapGet("/channels", ListChannelsAsync).WithSummary("List channels to join").WithDescription(
                $"A page has at most {ChannelsPerPage} channels. Where a policy hides channels, a page may have fewer, or none, and an after that goes on.")
            .Query("q", "A part of the title, without regard to case.").Query("after", "The after of the previous page.")
            .Refuses(ProblemTypes.InvalidArgument, ProblemTypes.TooManyRequests, ProblemTypes.ChatUnavailable);
    }

    private static async Task<Ok<SearchResponse>> SearchAsync(
        SignedInUser user, ConversationCalls calls, ChatLimits limits, string? q, string? conversation, string? before, string? limit)
    {
        var search = new MessageSearch
        {
            Text = ChatInput.Query(q),
            ConversationId = string.IsNullOrEmpty(conversation) ? null : ChatInput.ConversationIdOf(conversation),
            Before = ChatInput.SearchCursor(before),
            Limit = ChatInput.Limit(limit, HitsPerPage, MaxHits),
        };
        limits.CountSearch(user.Id);
        var page = await calls.Reader.SearchAsync(user.Id, search);
        ChatProblems.ThrowIfRefused(page.Error, search.ConversationId);
        var next = NextOf(page);
        return TypedResults.Ok(new SearchResponse(
            Array.ConvertAll(page.Hits, hit => new SearchHitResponse(hit.ConversationId, hit.Seq, hit.SenderId, hit.SentAt, hit.Snippet)),
            next is null ? null : ChatInput.ToText(next), next is not null));
    }

    /// <summary>Where the next page begins, <see langword="null"/> after the last one. A silo of an earlier version does not say it: there, after the last hit.</summary>
    public static SearchCursor? NextOf(SearchPage page) => page switch
    {
        { HasMore: false } => null,
        { Next: { } next } => next,
        { Hits: [.., var last] } => new(last.SentAt, last.ConversationId, last.Seq),
        _ => null,
    };

    private static async Task<Ok<ChannelsResponse>> ListChannelsAsync(
        HttpContext context, SignedInUser user, ChannelAccess channels, ChatLimits limits, string? q, string? after)
    {
        var title = string.IsNullOrEmpty(q) ? null : ChatInput.Query(q).Trim();
        var cursor = channels.CursorOf(after);
        limits.CountSearch(user.Id);
        var (found, next) = await channels.ListAsync(user.Id, title, cursor, ChannelsPerPage, context.RequestAborted);
        return TypedResults.Ok(new ChannelsResponse(
            [.. found.Select(channel => new ChannelResponse(channel.Id, channel.Title, channel.Members, channel.LastAt))], next));
    }
}
