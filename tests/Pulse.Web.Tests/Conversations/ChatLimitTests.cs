using System.Net;
using System.Text.Json;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Limits of sends, starts, additions and members, small enough to reach.</summary>
public sealed class ChatLimitTests(ChatLimitTests.Limited pulse) : IClassFixture<ChatLimitTests.Limited>
{
    /// <summary>An application with small limits.</summary>
    public sealed class Limited() : PulseApplication([
        new("Pulse:Chat:SendsAtOnce", "3"), new("Pulse:Chat:SendsPerSecond", "1"), new("Pulse:Chat:StartsPerMinute", "4"), new("Pulse:Chat:AddsPerMinute", "3"),
        new("Pulse:Chat:MaxMembers", "3"), new("Pulse:Chat:ReceiptsUpTo", "2"), new("Pulse:Chat:MaxTextLength", "10")]);

    [Fact]
    public async Task SendsBeyondTheLimit_AreRefusedWithRetryAfter_AndARepeatIsFree()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        var group = await ada.CreateAsync("group");
        await using var socket = await ada.ConnectAsync();
        var first = new { clientId = Guid.NewGuid(), text = "first" };
        var path = $"/conversations/{group}/messages";
        await ada.DoAsync(HttpMethod.Post, path, first, HttpStatusCode.Created);
        HttpResponseMessage? refused = null;
        for (var i = 0; i < 15 && refused is null; i++)
        {
            var answer = await ada.CallAsync(HttpMethod.Post, path, new { clientId = Guid.NewGuid(), text = $"{i}" });
            if (answer.StatusCode == HttpStatusCode.Created) answer.Dispose();
            else refused = answer;
        }

        Assert.NotNull(refused);
        await refused.ReadProblemAsync(HttpStatusCode.TooManyRequests, "too-many-messages");
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 5);
        refused.Dispose();
        var head = await ada.HeadAsync(group);
        Assert.Equal(2, (long)(await ada.DoAsync(HttpMethod.Post, path, first))["seq"]!);
        await ada.RefusedAsync(HttpMethod.Put, $"{path}/2/reactions/a", null, HttpStatusCode.TooManyRequests, "too-many-messages");
        await socket.RefusedAsync("too-many-messages", "SendMessage", group, new { clientId = Guid.NewGuid(), text = "more" });
        Assert.Equal(2, (await socket.CallAsync("SendMessage", group, first)).GetProperty("seq").GetInt64());
        Assert.Equal(head, await ada.HeadAsync(group));

        // The limit is per conversation, and the wait is as long as it says.
        var other = await ada.CreateAsync("group");
        await ada.SendAsync(other, "elsewhere");
        await Eventually.AsyncTrue("a message is taken again", async () =>
        {
            using var answer = await ada.CallAsync(HttpMethod.Post, path, new { clientId = Guid.NewGuid(), text = "later" });
            return answer.StatusCode == HttpStatusCode.Created;
        });
    }

    [Fact]
    public async Task StartsBeyondTheLimit_AreRefused_AndARepeatIsFree()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        var first = new { kind = "group", title = "One", members = Array.Empty<Guid>(), clientId = Guid.NewGuid() };
        await ada.DoAsync(HttpMethod.Post, "/conversations", first, HttpStatusCode.Created);
        for (var i = 0; i < 3; i++) await ada.CreateAsync("channel");

        using var refused = await ada.CallAsync(HttpMethod.Post, "/conversations", first with { clientId = Guid.NewGuid() });
        await refused.ReadProblemAsync(HttpStatusCode.TooManyRequests, "too-many-messages");
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Equal(4, (await ada.InboxAsync()).Length);
        await ada.DoAsync(HttpMethod.Post, "/conversations", first);
    }

    [Fact]
    public async Task FullConversation_TakesNoFurtherMember()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        using var carol = await ChatUser.SyncAsync(pulse, "Carol");
        using var dora = await ChatUser.SyncAsync(pulse, "Dora");
        var members = new[] { bob.Id, carol.Id, dora.Id };
        await ada.RefusedAsync(
            HttpMethod.Post, "/conversations", new { kind = "group", title = "Four", members, clientId = Guid.NewGuid() }, HttpStatusCode.Conflict, "too-many-members");
        Assert.Empty(await ada.InboxAsync());

        var channel = await ada.CreateAsync("channel", bob);
        await carol.SetMemberAsync(channel, carol);
        await dora.RefusedAsync(HttpMethod.Put, $"/conversations/{channel}/members/{dora.Id}", null, HttpStatusCode.Conflict, "too-many-members");
        Assert.Equal(2, await ada.HeadAsync(channel));

        // A role of a present member can still change, and a place that becomes free is taken.
        await ada.SetMemberAsync(channel, carol, "reader");
        await bob.RemoveAsync(channel, bob);
        await dora.SetMemberAsync(channel, dora);
    }

    [Fact]
    public async Task TextLimit_CountsAfterTrimming()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        var group = await ada.CreateAsync("group");

        await ada.SendAsync(group, $"  {new string('x', 10)}\n\n");
        await ada.RefusedAsync(
            HttpMethod.Post, $"/conversations/{group}/messages", new { clientId = Guid.NewGuid(), text = new string('x', 11) }, HttpStatusCode.RequestEntityTooLarge, "too-long");
        Assert.Equal(2, await ada.HeadAsync(group));
    }

    [Fact]
    public async Task LargeConversation_HasNoCountsInHints_AndNoReceipts()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        using var carol = await ChatUser.SyncAsync(pulse, "Carol");
        var small = await ada.CreateAsync("group", bob);
        var large = await ada.CreateAsync("group", bob, carol);
        await using var bobs = await bob.ConnectAsync();
        await ada.SendAsync(small, "small");
        await ada.SendAsync(large, "large");

        Assert.Equal(1, (await bobs.InboxAsync(small, item => item.GetProperty("head").GetInt64() == 2)).GetProperty("you").GetProperty("unread").GetInt32());
        var you = (await bobs.InboxAsync(large, item => item.GetProperty("head").GetInt64() == 2)).GetProperty("you");
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (you.GetProperty("unread").ValueKind, you.GetProperty("mentions").ValueKind));
        Assert.Equal(1, (await bob.YouAsync(large)).Unread);
        Assert.Empty((await bobs.OpenAsync(large)).GetProperty("markers").EnumerateArray());
    }
}
