using Pulse.Conversations;
using Pulse.Web.Conversations;
using Xunit;

namespace Pulse.Web.Tests.Conversations;

public sealed class SearchCursorTests
{
    private static readonly SearchHit s_hit = new(Guid.NewGuid(), 7, Guid.NewGuid(), new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero), "text");
    private static readonly SearchCursor s_reached = new(new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), Guid.Empty, 0);

    [Fact]
    public void PageWithoutHits_GoesOnFromTheTimeThatTheSearchReached()
    {
        var next = SearchEndpoints.NextOf(new(ConversationError.None, [], HasMore: true) { Next = s_reached });

        Assert.Equal(s_reached, next);
        Assert.Equal(s_reached, ChatInput.SearchCursor(ChatInput.ToText(next!)));
    }

    [Fact]
    public void PageOfAnEarlierSilo_GoesOnAfterItsLastHit() => Assert.Equal(
        new SearchCursor(s_hit.SentAt, s_hit.ConversationId, s_hit.Seq), SearchEndpoints.NextOf(new(ConversationError.None, [s_hit], HasMore: true)));

    [Fact]
    public void LastPage_HasNoNext() => Assert.Null(SearchEndpoints.NextOf(new(ConversationError.None, [s_hit], HasMore: false)));
}
