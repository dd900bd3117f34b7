using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
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

        await RefusedAsync(_ => ada.CallAsync(HttpMethod.Post, path, new { clientId = Guid.NewGuid(), text = "more" }), HeadAsync, 5);
        await RepeatsAreFreeAsync();
        await RefusedAsync(i => ada.CallAsync(i % 2 == 0 ? HttpMethod.Put : HttpMethod.Delete, $"{path}/2/reactions/a"), HeadAsync, 5);
        await UntilRefusedAsync(IsSendRefusedAsync, HeadAsync);
        await RepeatsAreFreeAsync();

        // The limit is per conversation, and the wait is as long as it says.
        var other = await ada.CreateAsync("group");
        await ada.SendAsync(other, "elsewhere");
        await Eventually.AsyncTrue("a message is taken again", async () =>
        {
            using var answer = await ada.CallAsync(HttpMethod.Post, path, new { clientId = Guid.NewGuid(), text = "later" });
            return answer.StatusCode == HttpStatusCode.Created;
        });

        Task<long> HeadAsync() => ada.HeadAsync(group);

        async Task RepeatsAreFreeAsync()
        {
            var head = await HeadAsync();
            Assert.Equal(2, (long)(await ada.DoAsync(HttpMethod.Post, path, first))["seq"]!);
            Assert.Equal(2, (await socket.CallAsync("SendMessage", group, first)).GetProperty("seq").GetInt64());
            Assert.Equal(head, await HeadAsync());
        }

        async Task<bool> IsSendRefusedAsync(int attempt)
        {
            try
            {
                await socket.DoAsync("SendMessage", group, new { clientId = Guid.NewGuid(), text = $"{attempt}" });
                return false;
            }
            catch (HubException refused)
            {
                if (refused.Message.StartsWith("un", StringComparison.Ordinal)) return false;
                Assert.Matches("^too-many-messages: .{10}", refused.Message);
                return true;
            }
        }
    }

    [Fact]
    public async Task StartsBeyondTheLimit_AreRefused_AndARepeatIsFree()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        var first = new { kind = "group", title = "One", members = Array.Empty<Guid>(), clientId = Guid.NewGuid() };
        await ada.DoAsync(HttpMethod.Post, "/conversations", first, HttpStatusCode.Created);
        for (var i = 0; i < 3; i++) await ada.CreateAsync("channel");

        await RefusedAsync(
            _ => ada.CallAsync(HttpMethod.Post, "/conversations", first with { clientId = Guid.NewGuid() }),
            async () => (await ada.InboxAsync()).Length,
            60);
        await ada.DoAsync(HttpMethod.Post, "/conversations", first);
    }

    [Fact]
    public async Task RepeatedCreations_CountAsChanges()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        var group = new { kind = "group", title = "One", members = Array.Empty<Guid>(), clientId = Guid.NewGuid() };
        await ada.DoAsync(HttpMethod.Post, "/conversations", group, HttpStatusCode.Created);

        await RefusedAsync(_ => ada.CallAsync(HttpMethod.Post, "/conversations", group), async () => (await ada.InboxAsync()).Length, 60);
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

    /// <summary>Repeats the request until it is refused, with a wait of so many seconds at most.</summary>
    private static Task RefusedAsync(Func<int, Task<HttpResponseMessage>> callAsync, Func<Task<long>> stateAsync, int longestWait) =>
        UntilRefusedAsync(async attempt =>
        {
            using var answer = await callAsync(attempt);
            if (answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.ServiceUnavailable) return false;
            await answer.ReadProblemAsync(HttpStatusCode.TooManyRequests, "too-many-messages");
            Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, longestWait);
            return true;
        }, stateAsync);

    /// <summary>Repeats the call until it is refused, and checks that the refused call changed nothing.</summary>
    /// <remarks>The limits grow with real time, so that a slow machine may accept a call that a fast machine refuses.</remarks>
    private static async Task UntilRefusedAsync(Func<int, Task<bool>> isRefusedAsync, Func<Task<long>> stateAsync)
    {
        const int Most = 50;
        for (var attempt = 0; attempt < Most; attempt++)
        {
            var before = await stateAsync();
            if (!await isRefusedAsync(attempt)) continue;
            Assert.Equal(before, await stateAsync());
            return;
        }

        Assert.Fail($"{Most} calls were accepted.");
    }
}
