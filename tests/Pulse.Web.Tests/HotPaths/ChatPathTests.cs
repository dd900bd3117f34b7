using Pulse.Web.Tests.Conversations;
using Xunit.Abstractions;

namespace Pulse.Web.Tests.HotPaths;

/// <summary>As <see cref="HotPathTests"/>, for the chat: the grain calls, Redis commands and statements of sends, opens, syncs and hints.</summary>
[Collection(Alone.Name)]
public sealed class ChatPathTests(CountingPulse pulse, ITestOutputHelper output) : IClassFixture<CountingPulse>
{
    // Of two users together, below the limit of sends of one user in a second.
    private const int Times = 30;

    // Statements of the background: a head that is saved, an expired row that is deleted.
    private const int Others = 8;

    [Fact]
    public async Task Send_ToAnOpenConversation_IsOneGrainCallAndOneStatement_AndAReadOfTheSendersItem()
    {
        var (ada, grace, group) = await StartAsync();
        await using var _ = ada;
        await using var __ = grace;
        await ada.OpenAsync(group);
        await grace.OpenAsync(group);
        await grace.UntilAsync(group, await ada.SendAsync(group, "Begin"));

        var counted = await MeasureAsync(async () =>
        {
            long last = 0;
            for (var i = 0; i < Times; i++) last = await (i % 2 == 0 ? ada : grace).SendAsync(group, "Again");
            await Task.WhenAll(ada.UntilAsync(group, last), grace.UntilAsync(group, last));
        });

        AssertCalls(counted, ["IConversationGrain.ApplyAsync"], "IConversationObserver.TakeAsync", "IInboxObserver.TakeAsync", "IConversationReaderGrain.FindManyAsync");
        Assert.InRange(counted.Statements.Length, Times, (2 * Times) + Others);
    }

    [Fact]
    public async Task Hint_ToAMemberWhoHasItClosed_IsOneGrainCallToTheFrontEnd_AndOneReadOfTheItem()
    {
        var (ada, grace, group) = await StartAsync();
        await using var _ = ada;
        await using var __ = grace;

        // The first send to an activation also checks the membership, claims the conversation, and loads it.
        var begin = await ada.SendAsync(group, "Begin");
        await grace.InboxAsync(group, item => item.GetProperty("head").GetInt64() >= begin);

        var counted = await MeasureAsync(async () =>
        {
            for (var i = 0; i < Times; i++)
            {
                var seq = await (i % 2 == 0 ? ada : grace).SendAsync(group, "Again");
                await Task.WhenAll(new[] { ada, grace }.Select(client => client.InboxAsync(group, item => item.GetProperty("head").GetInt64() >= seq)));
            }
        });

        AssertCalls(counted, ["IConversationGrain.ApplyAsync"], "IInboxObserver.TakeAsync", "IConversationReaderGrain.FindManyAsync");
        Assert.InRange(counted.Statements.Length, Times, (2 * Times) + Others);
    }

    [Fact]
    public async Task OpenAndClose_AreOneGrainCallEach_AndReadNoDatabase()
    {
        var (ada, grace, group) = await StartAsync();
        await using var _ = ada;
        await using var __ = grace;
        await ada.OpenAsync(group);
        await ada.DoAsync("CloseConversation", group);

        var counted = await MeasureAsync(async () =>
        {
            for (var i = 0; i < Times; i++)
            {
                await ada.OpenAsync(group);
                await ada.DoAsync("CloseConversation", group);
            }
        });

        AssertCalls(counted, ["IConversationGrain.OpenAsync", "IConversationGrain.UnsubscribeAsync"]);
        Assert.InRange(counted.Statements.Length, 0, Others);
    }

    [Fact]
    public async Task Sync_OfAnyNumberOfConversations_IsOneGrainCallAndOneStatement()
    {
        var (ada, grace, group) = await StartAsync();
        await using var _ = ada;
        await using var __ = grace;
        (Guid, long)[] known = [(group, 0), .. Enumerable.Range(0, 100).Select(_ => (Guid.CreateVersion7(), 1L))];

        var counted = await MeasureAsync(async () =>
        {
            for (var i = 0; i < Times; i++) await ada.SyncAsync(known);
        });

        AssertCalls(counted, ["IConversationReaderGrain.SyncAsync"]);
        Assert.InRange(counted.Statements.Length, Times, Times + Others);
    }

    /// <param name="counted">The counts.</param>
    /// <param name="each">Calls that each operation makes.</param>
    /// <param name="atMost">Calls that operations make together at times.</param>
    private void AssertCalls(Counted counted, string[] each, params string[] atMost)
    {
        var calls = counted.GrainCalls.CountBy(call => call).ToDictionary();
        output.WriteLine($"{string.Join(", ", calls)}; {counted.Statements.Length} statements");
        Assert.Equal(each.Order(), calls.Keys.Except(atMost).Order());
        Assert.All(each, call => Assert.Equal(Times, calls[call]));
        Assert.All(atMost, call => Assert.InRange(calls.GetValueOrDefault(call), 1, 2 * Times));
        Assert.Empty(counted.RedisCommands);
    }

    private async Task<(ChatClient Ada, ChatClient Grace, Guid Group)> StartAsync()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var grace = await ChatUser.SyncAsync(pulse, "Grace");
        var group = await ada.CreateAsync("group", grace);
        return (await ChatClient.ConnectAsync(pulse.Address, ada.Token), await ChatClient.ConnectAsync(pulse.Address, grace.Token), group);
    }

    private async Task<Counted> MeasureAsync(Func<Task> operations)
    {
        await pulse.ResetAsync();
        await operations();
        return pulse.Count();
    }
}
