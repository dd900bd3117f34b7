using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Creation, members, roles, visibility, blocks and closing over REST.</summary>
[Collection(SharedPulse.Name)]
public sealed class MembershipTests(PulseApplication pulse) : IAsyncLifetime
{
    private ChatUser _ada = null!;
    private ChatUser _bob = null!;
    private ChatUser _carol = null!;

    public async Task InitializeAsync() =>
        (_ada, _bob, _carol) = (await ChatUser.SyncAsync(pulse, "Ada"), await ChatUser.SyncAsync(pulse, "Bob"), await ChatUser.SyncAsync(pulse, "Carol"));

    public Task DisposeAsync()
    {
        _ada.Dispose();
        _bob.Dispose();
        _carol.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task RepeatedCreation_GetsTheSameConversation()
    {
        var group = new { kind = "group", title = "Plans", members = new[] { _bob.Id }, clientId = Guid.NewGuid() };
        using var created = await _ada.CallAsync(HttpMethod.Post, "/conversations", group);
        var first = await created.ReadAsync(HttpStatusCode.Created);

        Assert.Equal($"/conversations/{first["id"]}", created.Headers.Location?.ToString());
        Assert.Equal(first.ToJsonString(), (await _ada.DoAsync(HttpMethod.Post, "/conversations", group)).ToJsonString());
        Assert.Equal(("group", "Plans", 1L, "owner"), ((string?)first["kind"], (string?)first["title"], (long)first["head"]!, (string?)first["you"]!["role"]));

        // Another user's client id is another conversation.
        var other = await _bob.DoAsync(HttpMethod.Post, "/conversations", new { kind = "group", title = "Plans", members = new[] { _ada.Id }, group.clientId }, HttpStatusCode.Created);
        Assert.NotEqual((Guid)first["id"]!, (Guid)other["id"]!);
    }

    [Fact]
    public async Task RepeatedCreation_WithOtherMembers_ReachesNoStranger()
    {
        var clientId = Guid.NewGuid();
        var group = (Guid)(await CreateAsync(HttpStatusCode.Created, _bob))["id"]!;
        await using var bobs = await _bob.ConnectAsync();
        await using var carols = await _carol.ConnectAsync();

        Assert.Equal(group, (Guid)(await CreateAsync(HttpStatusCode.OK, _carol, _bob))["id"]!);

        // The hint of the repetition is sent before that of the later conversation.
        await bobs.InboxAsync(group);
        await carols.InboxAsync(await _ada.CreateAsync("group", _carol));
        Assert.Empty(carols.Names(group));

        Task<JsonObject> CreateAsync(HttpStatusCode expected, params ChatUser[] members) => _ada.DoAsync(
            HttpMethod.Post, "/conversations", new { kind = "group", title = "Plans", members = members.Select(member => member.Id), clientId }, expected);
    }

    [Fact]
    public async Task MemberThatBlocksTheOwner_OrIsDisabled_CanStillBeDemoted()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await _ada.SetMemberAsync(group, _bob, "moderator");
        await _bob.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{_ada.Id}/block");

        var demoted = await _ada.SetMemberAsync(group, _bob, "reader");
        Assert.Equal(demoted, await _ada.SetMemberAsync(group, _bob, "reader"));

        // An addition is refused, as before.
        await _ada.RemoveAsync(group, _bob);
        await _ada.RefusedAsync(HttpMethod.Put, $"/conversations/{group}/members/{_bob.Id}", null, HttpStatusCode.Forbidden, "cannot-message");
    }

    [Fact]
    public async Task AnswersAboutUsers_CountAsLookups()
    {
        var strangers = Enumerable.Range(0, 199).Select(_ => Guid.CreateVersion7()).ToArray();
        var attempts = await Task.WhenAll(Enumerable.Range(0, 400).Select(_ => _ada.CallAsync(
            HttpMethod.Post, "/conversations", new { kind = "group", title = "x", clientId = Guid.NewGuid(), members = strangers })));

        var refused = attempts.Where(attempt => attempt.StatusCode == HttpStatusCode.TooManyRequests).ToArray();
        Assert.NotEmpty(refused);
        await refused[0].ReadProblemAsync(HttpStatusCode.TooManyRequests, "too-many-lookups");
        Assert.NotNull(refused[0].Headers.RetryAfter);
        foreach (var attempt in attempts) attempt.Dispose();

        // Each user has an allowance.
        await _bob.CreateAsync("group", _carol);
    }

    [Fact]
    public async Task DirectConversation_IsOnePerPair_AndEntersTheOthersInboxWithItsFirstMessage()
    {
        var direct = await _ada.CreateAsync("direct", _bob);
        Assert.Equal([direct], await _ada.InboxAsync());
        Assert.Empty(await _bob.InboxAsync());

        // Either of the two, with any client id.
        var again = await _bob.DoAsync(HttpMethod.Post, "/conversations", new { kind = "direct", members = new[] { _ada.Id }, clientId = Guid.NewGuid() });
        Assert.Equal(direct, (Guid)again["id"]!);
        Assert.Equal((_ada.Id, "Ada", "member"), ((Guid)again["other"]!["userId"]!, (string?)again["other"]!["name"], (string?)again["you"]!["role"]));

        await _ada.SendAsync(direct, "hello");
        Assert.Equal([direct], await _bob.InboxAsync());
        Assert.Equal((1, 1, 0), await _bob.YouAsync(direct));
    }

    [Fact]
    public async Task Roles_DecideWhoChangesWhat()
    {
        var group = await _ada.CreateAsync("group", _bob);
        using var dora = await ChatUser.SyncAsync(pulse, "Dora");
        await _ada.SetMemberAsync(group, _bob, "moderator");
        var head = await _ada.HeadAsync(group);
        await _ada.SetMemberAsync(group, _bob, "moderator");
        Assert.Equal(head, await _ada.HeadAsync(group));

        // A moderator adds and removes members, and deletes their messages; an owner or another moderator is beyond it.
        await _bob.SetMemberAsync(group, _carol);
        Assert.Equal(await _bob.DeleteAsync(group, await _carol.SendAsync(group, "spam")), await _ada.HeadAsync(group));
        await _bob.SetMemberAsync(group, _carol, "reader");
        await _bob.DoAsync(HttpMethod.Patch, $"/conversations/{group}", new { title = "New" });
        await NotYoursAsync(_bob, HttpMethod.Put, $"/members/{_carol.Id}", new { role = "moderator" });
        await NotYoursAsync(_bob, HttpMethod.Put, $"/members/{dora.Id}", new { role = "owner" });
        await NotYoursAsync(_bob, HttpMethod.Put, $"/members/{_ada.Id}", new { role = "member" });
        await NotYoursAsync(_bob, HttpMethod.Delete, $"/members/{_ada.Id}");
        await NotYoursAsync(_bob, HttpMethod.Delete, "");

        // With a second owner the first one may leave.
        await _ada.SetMemberAsync(group, _bob, "owner");
        var left = await _ada.RemoveAsync(group, _ada);
        Assert.Equal(left, await _bob.HeadAsync(group));
        await _ada.RefusedAsync(HttpMethod.Get, $"/conversations/{group}", null, HttpStatusCode.NotFound, "not-found");
        Assert.Empty(await _ada.InboxAsync());
        await _bob.RefusedAsync(HttpMethod.Delete, $"/conversations/{group}/members/{_bob.Id}", null, HttpStatusCode.Conflict, "last-owner");
        await _bob.DoAsync(HttpMethod.Delete, $"/conversations/{group}");

        Task NotYoursAsync(ChatUser user, HttpMethod method, string path, object? body = null) =>
            user.RefusedAsync(method, $"/conversations/{group}{path}", body, HttpStatusCode.Forbidden, "not-yours");
    }

    [Fact]
    public async Task ModeratorsOrOwnersMessage_IsDeletedByAModerator()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await _ada.SetMemberAsync(group, _bob, "moderator");
        var message = await _ada.SendAsync(group, "mistake");

        Assert.Equal(message + 1, await _bob.DeleteAsync(group, message));
        Assert.Equal(_bob.Id, (Guid)(await _ada.EntriesAsync(group))[^1]["by"]!);
    }

    [Fact]
    public async Task Reader_ReadsAndMarks_AndWritesNothing()
    {
        var group = await _ada.CreateAsync("group", _bob);
        var own = await _bob.SendAsync(group, "before");
        await _ada.SetMemberAsync(group, _bob, "reader");
        var message = await _ada.SendAsync(group, "news");
        await using var socket = await _bob.ConnectAsync();

        await ReadOnlyAsync(HttpMethod.Post, "/messages", new { clientId = Guid.NewGuid(), text = "x" });
        await ReadOnlyAsync(HttpMethod.Patch, $"/messages/{own}", new { text = "x" });
        await ReadOnlyAsync(HttpMethod.Put, $"/messages/{message}/reactions/a");
        await socket.RefusedAsync("read-only", "SendMessage", group, new { clientId = Guid.NewGuid(), text = "x" });
        await socket.RefusedAsync("read-only", "Typing", group);
        Assert.Equal(message, await _bob.HeadAsync(group));
        Assert.Equal(message, (long)(await _bob.ReadAsync(group, message))["read"]!);
        Assert.Equal("news", (string?)(await _bob.MessagesAsync(group))[^1]["text"]);

        Task ReadOnlyAsync(HttpMethod method, string path, object? body = null) =>
            _bob.RefusedAsync(method, $"/conversations/{group}{path}", body, HttpStatusCode.Forbidden, "read-only");
    }

    [Fact]
    public async Task MemberWhoReturns_SeesTheLogFromTheReturn()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await _ada.SendAsync(group, "old");
        await _bob.ReadAsync(group, 2);
        await _bob.RemoveAsync(group, _bob);
        await _ada.SendAsync(group, "missed");
        var returned = await _ada.SetMemberAsync(group, _bob);
        var message = await _ada.SendAsync(group, "new", _bob);

        var you = (await _bob.GetAsync($"/conversations/{group}"))["you"]!;
        Assert.Equal((returned, returned, 1, 1), ((long)you["from"]!, (long)you["read"]!, (int)you["unread"]!, (int)you["mentions"]!));
        Assert.Equal([returned, message], (await _bob.EntriesAsync(group)).Select(entry => (long)entry["seq"]!));
        Assert.Equal([message], (await _bob.MessagesAsync(group)).Select(entry => (long)entry["seq"]!));
        await _bob.RefusedAsync(HttpMethod.Delete, $"/conversations/{group}/messages/2", null, HttpStatusCode.NotFound, "not-found");
        await _bob.RefusedAsync(HttpMethod.Put, $"/conversations/{group}/messages/2/reactions/a", null, HttpStatusCode.NotFound, "not-found");
        await _bob.RefusedAsync(
            HttpMethod.Post, $"/conversations/{group}/messages", new { clientId = Guid.NewGuid(), text = "x", replyTo = 2 }, HttpStatusCode.BadRequest, "invalid-argument");

        await using var socket = await _bob.ConnectAsync();
        var opened = await socket.OpenAsync(group);
        Assert.Equal([returned, message], opened.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("seq").GetInt64()));
        var synced = (await socket.SyncAsync((group, 0)))[0];
        Assert.Equal([returned, message], synced.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("seq").GetInt64()));
        Assert.Equal(returned, synced.GetProperty("from").GetInt64());
    }

    [Theory]
    [InlineData("all")]
    [InlineData("since-joining")]
    public async Task Newcomers_SeeWhatTheRuleSays(string rule)
    {
        var group = await _ada.CreateAsync("group", rule, [_bob]);
        await _ada.SendAsync(group, "old");
        var joined = await _ada.SetMemberAsync(group, _carol);
        var message = await _ada.SendAsync(group, "new");

        var from = rule == "all" ? 1 : joined;
        Assert.Equal(from, (long)(await _carol.GetAsync($"/conversations/{group}"))["you"]!["from"]!);
        Assert.Equal(Enumerable.Range((int)from, (int)(message - from) + 1).Select(seq => (long)seq), (await _carol.EntriesAsync(group)).Select(entry => (long)entry["seq"]!));
        Assert.Equal((joined, 1, 0), await _carol.YouAsync(group));
        Assert.Equal(1, (long)(await _bob.GetAsync($"/conversations/{group}"))["you"]!["from"]!);
    }

    [Fact]
    public async Task RuleForNewcomers_HoldsForLaterOnes()
    {
        var group = await _ada.CreateAsync("group");
        await _ada.SendAsync(group, "old");
        await _ada.SetMemberAsync(group, _bob);
        var changed = await _ada.DoAsync(HttpMethod.Patch, $"/conversations/{group}", new { newcomersSee = "since-joining" });
        var joined = await _ada.SetMemberAsync(group, _carol);

        Assert.Equal(4, (long)changed["head"]!);
        Assert.Equal((1L, joined), ((await FromAsync(_bob)), await FromAsync(_carol)));

        async Task<long> FromAsync(ChatUser user) => (long)(await user.GetAsync($"/conversations/{group}"))["you"]!["from"]!;
    }

    [Fact]
    public async Task Channel_IsJoinedAndLeft_ButNotAgainAfterARemoval_UntilAModeratorAddsTheUser()
    {
        var channel = await _ada.CreateAsync("channel");
        var joined = await _bob.SetMemberAsync(channel, _bob);
        Assert.Equal(joined, await _bob.SetMemberAsync(channel, _bob));
        await _carol.RefusedAsync(HttpMethod.Put, $"/conversations/{channel}/members/{_carol.Id}", new { role = "owner" }, HttpStatusCode.Forbidden, "not-yours");
        await _bob.RemoveAsync(channel, _bob);
        await _bob.SetMemberAsync(channel, _bob);

        await _ada.RemoveAsync(channel, _bob);
        var head = await _ada.HeadAsync(channel);
        using (var refused = await _bob.CallAsync(HttpMethod.Put, $"/conversations/{channel}/members/{_bob.Id}")) Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(head, await _ada.HeadAsync(channel));
        await _bob.RefusedAsync(HttpMethod.Get, $"/conversations/{channel}/entries", null, HttpStatusCode.Forbidden, "not-a-member");

        await _ada.SetMemberAsync(channel, _bob);
        await _bob.RemoveAsync(channel, _bob);
        await _bob.SetMemberAsync(channel, _bob);
        Assert.Equal("member", (string?)(await _bob.GetAsync($"/conversations/{channel}"))["you"]!["role"]);
    }

    [Fact]
    public async Task Reader_ThatLeavesAndJoins_StaysReader_UntilAModeratorChangesThat()
    {
        var channel = await _ada.CreateAsync("channel");
        await _bob.SetMemberAsync(channel, _bob);
        await _ada.SetMemberAsync(channel, _bob, "reader");
        await _bob.RemoveAsync(channel, _bob);
        var path = $"/conversations/{channel}";
        await _bob.RefusedAsync(HttpMethod.Put, $"{path}/members/{_bob.Id}", new { role = "member" }, HttpStatusCode.Forbidden, "not-yours");
        await _bob.SetMemberAsync(channel, _bob);

        Assert.Equal("reader", await RoleAsync());
        var message = new { clientId = Guid.NewGuid(), text = "x" };
        await _bob.RefusedAsync(HttpMethod.Post, $"{path}/messages", message, HttpStatusCode.Forbidden, "read-only");

        await _bob.RemoveAsync(channel, _bob);
        await _ada.SetMemberAsync(channel, _bob);
        Assert.Equal("member", await RoleAsync());

        async Task<string?> RoleAsync() => (string?)(await _bob.GetAsync($"/conversations/{channel}"))["you"]!["role"];
    }

    [Fact]
    public async Task MemberThatHasLeftAChannel_CanBeBarred_ByAModeratorAlone()
    {
        var channel = await _ada.CreateAsync("channel");
        await _bob.SetMemberAsync(channel, _bob);
        await _carol.SetMemberAsync(channel, _carol);
        await _bob.RemoveAsync(channel, _bob);
        var path = $"/conversations/{channel}/members/{_bob.Id}";
        await _carol.RefusedAsync(HttpMethod.Delete, path, null, HttpStatusCode.Forbidden, "not-yours");

        var barred = await _ada.RemoveAsync(channel, _bob);

        var entry = (await _carol.EntriesAsync(channel))[^1];
        Assert.Equal((barred, "member-removed", _ada.Id), ((long)entry["seq"]!, (string?)entry["kind"], (Guid)entry["by"]!));
        await _bob.RefusedAsync(HttpMethod.Put, path, null, HttpStatusCode.Forbidden, "cannot-message");

        // A second time there is nothing to do, and strangers and groups stay as they were.
        await NoMemberAsync(channel, _bob.Id);
        await NoMemberAsync(channel, Guid.CreateVersion7());
        var group = await _ada.CreateAsync("group", _bob);
        await _bob.RemoveAsync(group, _bob);
        await NoMemberAsync(group, _bob.Id);

        await _ada.SetMemberAsync(channel, _bob);
        Assert.Equal("member", (string?)(await _bob.GetAsync($"/conversations/{channel}"))["you"]!["role"]);

        Task NoMemberAsync(Guid id, Guid userId) =>
            _ada.RefusedAsync(HttpMethod.Delete, $"/conversations/{id}/members/{userId}", null, HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Group_CannotBeJoined()
    {
        var group = await _ada.CreateAsync("group", _bob);

        await _carol.RefusedAsync(HttpMethod.Put, $"/conversations/{group}/members/{_carol.Id}", null, HttpStatusCode.NotFound, "not-found");
        Assert.Equal(1, await _ada.HeadAsync(group));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Block_RefusesDirectMessagesNewConversationsAndAdditions_InBothDirections(bool isByTheCaller)
    {
        var direct = await _ada.CreateAsync("direct", _bob);
        var message = await _ada.SendAsync(direct, "hello");
        var channel = await _ada.CreateAsync("channel");
        var (blocker, blocked) = isByTheCaller ? (_ada, _bob) : (_bob, _ada);
        await blocker.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{blocked.Id}/block");
        await using var socket = await _ada.ConnectAsync();

        await CannotAsync(HttpMethod.Post, $"/conversations/{direct}/messages", new { clientId = Guid.NewGuid(), text = "x" });
        await CannotAsync(HttpMethod.Patch, $"/conversations/{direct}/messages/{message}", new { text = "x" });
        await CannotAsync(HttpMethod.Put, $"/conversations/{direct}/messages/{message}/reactions/a");
        await CannotAsync(HttpMethod.Post, "/conversations", new { kind = "group", title = "x", members = new[] { _carol.Id, _bob.Id }, clientId = Guid.NewGuid() });
        await CannotAsync(HttpMethod.Put, $"/conversations/{channel}/members/{_bob.Id}");
        await socket.RefusedAsync("cannot-message", "SendMessage", direct, new { clientId = Guid.NewGuid(), text = "x" });
        Assert.Equal(message, await _ada.HeadAsync(direct));
        Assert.Equal(1, await _ada.HeadAsync(channel));

        // Reading and deleting go on.
        await _bob.ReadAsync(direct, message);
        await _ada.DeleteAsync(direct, message);

        await blocker.DoWithoutAnswerAsync(HttpMethod.Delete, $"/users/{blocked.Id}/block");
        await _ada.SendAsync(direct, "again");
        await _ada.SetMemberAsync(channel, _bob);

        Task CannotAsync(HttpMethod method, string path, object? body = null) => _ada.RefusedAsync(method, path, body, HttpStatusCode.Forbidden, "cannot-message");
    }

    [Fact]
    public async Task Block_RefusesANewDirectConversation()
    {
        await _bob.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{_ada.Id}/block");

        await _ada.RefusedAsync(
            HttpMethod.Post, "/conversations", new { kind = "direct", members = new[] { _bob.Id }, clientId = Guid.NewGuid() }, HttpStatusCode.Forbidden, "cannot-message");
        Assert.Empty(await _ada.InboxAsync());
    }

    [Fact]
    public async Task Blocks_AreListed_ForTheirUserAlone()
    {
        await _bob.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{_ada.Id}/block");
        await _bob.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{_carol.Id}/block");
        await _bob.DoWithoutAnswerAsync(HttpMethod.Delete, $"/users/{_carol.Id}/block");

        var page = await _bob.GetAsync("/users/blocked");

        var blocked = Assert.Single(page["items"]!.AsArray())!;
        Assert.Equal((_ada.Id.ToString(), null), ((string?)blocked["userId"], (string?)page["after"]));
        Assert.Empty((await _bob.GetAsync($"/users/blocked?after={_ada.Id}"))["items"]!.AsArray());
        Assert.Empty((await _ada.GetAsync("/users/blocked"))["items"]!.AsArray());
    }

    [Fact]
    public async Task Members_AreListedForMembers_WithTheirMarkers()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await _bob.ReadAsync(group, 1);

        var items = (await _bob.GetAsync($"/conversations/{group}/members"))["items"]!.AsArray();
        Assert.Equal(
            new[] { (_ada.Id, "Ada", "owner", 1L), (_bob.Id, "Bob", "member", 1L) }.OrderBy(member => member.Item1.ToString(), StringComparer.Ordinal),
            items.Select(item => ((Guid)item!["userId"]!, (string)item["name"]!, (string)item["role"]!, (long)item["read"]!)));
    }

    [Fact]
    public async Task MarkerOfAnInvisibleMember_ReachesTheOthers_OnlyWithItsNextMessage()
    {
        var group = await _ada.CreateAsync("group", _bob);
        var first = await _ada.SendAsync(group, "first");
        await _bob.ReadAsync(group, first);
        var second = await _ada.SendAsync(group, "second");
        await using var bobs = await _bob.ConnectAsync();
        await bobs.DoAsync("SetStatus", "invisible", null);
        await bobs.CallAsync("MarkRead", group, second);

        Assert.Equal(first, await BobsMarkerAsync(_ada));
        Assert.Equal(second, await BobsMarkerAsync(_bob));

        // A new activation of the conversation's grain knows it too.
        await pulse.Services.GetRequiredService<IGrainFactory>().GetGrain<Orleans.Runtime.IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);
        await using var adas = await _ada.ConnectAsync();
        Assert.Equal(first, MarkerIn((await adas.OpenAsync(group)).GetProperty("markers")));

        await bobs.SendAsync(group, "here");
        await adas.NextAsync("ReadChanged", message => MarkerIn(message.GetProperty("markers")) == second);
        await Eventually.AsyncTrue("the marker is shown", async () => await BobsMarkerAsync(_ada) == second);

        async Task<long> BobsMarkerAsync(ChatUser reader) => (long)(await reader.GetAsync($"/conversations/{group}/members"))["items"]!.AsArray()
            .Single(item => (Guid)item!["userId"]! == _bob.Id)!["read"]!;

        long MarkerIn(JsonElement markers) =>
            markers.EnumerateArray().Where(marker => marker.GetProperty("userId").GetGuid() == _bob.Id).Select(marker => marker.GetProperty("read").GetInt64()).FirstOrDefault();
    }
}
