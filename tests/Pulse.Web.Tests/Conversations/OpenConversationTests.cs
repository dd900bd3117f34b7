using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Conversations;
using Pulse.Web.Conversations;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Openings of a conversation while the front end skips entries of its log.</summary>
public sealed class OpenConversationTests : IDisposable
{
    private const int MaxEntries = 500;

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly OpenConversation _conversation;

    public OpenConversationTests() =>
        _conversation = new(Guid.NewGuid(), new(_services.GetRequiredService<IMeterFactory>(), new()), TimeProvider.System);

    public void Dispose() => _services.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SkippedEntries_AfterTheGrainHasConfirmedTheMembership_MakeItAskedAgain(bool isOpenAlready)
    {
        if (isOpenAlready) _conversation.Take(Run(head: 9, tooFar: false));
        var opening = _conversation.Begin(NewSocket())!;

        // The grain has answered that the user is a member at head 9. Before that arrives, another opening learns of head 700.
        _conversation.Take(Run(head: 700, tooFar: true));

        Assert.True(_conversation.TryJoin(opening, after: 9, read: null, memberHead: 9, MaxEntries, out var joined));
        Assert.Equal((true, false, false), (joined.IsOutdated, joined.IsGone, _conversation.IsOpenFor(opening.Socket)));

        // The next answer is from after the skipped entries.
        Assert.True(_conversation.TryJoin(opening, after: 9, read: null, memberHead: 700, MaxEntries, out joined));
        Assert.Equal((false, false, true), (joined.IsOutdated, joined.IsGone, _conversation.IsOpenFor(opening.Socket)));
    }

    [Fact]
    public void SkippedEntries_OfTheGrainsOwnAnswer_CountAsKnown()
    {
        var opening = _conversation.Begin(NewSocket())!;
        _conversation.Take(Run(head: 700, tooFar: true));

        Assert.True(_conversation.TryJoin(opening, after: 9, read: null, memberHead: 700, MaxEntries, out var joined));
        Assert.Equal((false, true), (joined.IsOutdated, _conversation.IsOpenFor(opening.Socket)));
    }

    private ConversationRun Run(long head, bool tooFar) => new() { ConversationId = _conversation.Id, Head = head, TooFar = tooFar };

    // Its first message stays unwritten, so the test needs no connection.
    private static ChatSocket NewSocket() => new(socket: null!, Guid.NewGuid(), static () => false, static (_, _) => { });
}
