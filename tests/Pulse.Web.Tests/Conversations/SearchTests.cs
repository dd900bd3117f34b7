using System.Net;
using System.Text.Json.Nodes;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Search in messages, and the list of channels, over REST.</summary>
[Collection(SharedPulse.Name)]
public sealed class SearchTests(PulseApplication pulse) : IAsyncLifetime
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
    public async Task Search_FindsTheMessage_InAllConversations_AndInOne()
    {
        var (group, direct) = (await _ada.CreateAsync("group", _bob), await _ada.CreateAsync("direct", _bob));
        var inGroup = await _bob.SendAsync(group, "Lunch at noon?");
        var inDirect = await _ada.SendAsync(direct, "I am late for lunch");

        var found = await _ada.GetAsync("/search?q=lunch");
        Assert.Equal([direct, group], Ids(found));
        Assert.Equal((false, null), ((bool)found["more"]!, (string?)found["before"]));
        var hit = found["items"]![1]!;
        Assert.Equal((inGroup, _bob.Id, "Lunch at noon?"), ((long)hit["seq"]!, (Guid)hit["senderId"]!, (string?)hit["snippet"]));
        Assert.Equal((await _ada.MessagesAsync(group))[0]["sentAt"]!.ToJsonString(), hit["sentAt"]!.ToJsonString());

        var inOne = await _ada.GetAsync($"/search?q=lunch&conversation={direct}");
        Assert.Equal(inDirect, (long)Assert.Single(inOne["items"]!.AsArray())!["seq"]!);
    }

    [Fact]
    public async Task Search_ShowsNothingToStrangersAndFormerMembers_AndNewcomersSeeWhatFollowsTheirJoining()
    {
        var group = await _ada.CreateAsync("group", newcomersSee: "since-joining", [_bob]);
        await _ada.SendAsync(group, "secret plan");
        Assert.Empty(Ids(await _carol.GetAsync("/search?q=secret")));
        var refused = await _carol.RefusedAsync(HttpMethod.Get, $"/search?q=secret&conversation={group}", null, HttpStatusCode.NotFound, "not-found");
        var unknown = await _carol.RefusedAsync(HttpMethod.Get, $"/search?q=secret&conversation={Guid.NewGuid()}", null, HttpStatusCode.NotFound, "not-found");
        Assert.Equal(unknown["detail"]!.ToJsonString(), refused["detail"]!.ToJsonString());

        await _ada.SetMemberAsync(group, _carol);
        var later = await _ada.SendAsync(group, "secret plan, second part");
        Assert.Equal(later, (long)Assert.Single((await _carol.GetAsync("/search?q=secret"))["items"]!.AsArray())!["seq"]!);
        Assert.Equal(2, (await _bob.GetAsync("/search?q=secret"))["items"]!.AsArray().Count);

        await _ada.RemoveAsync(group, _bob);
        Assert.Empty(Ids(await _bob.GetAsync("/search?q=secret")));
        await _bob.RefusedAsync(HttpMethod.Get, $"/search?q=secret&conversation={group}", null, HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Search_InAChannelOfOthers_SaysThatTheCallerIsNoMember()
    {
        var channel = await _ada.CreateAsync("channel");
        await _ada.SendAsync(channel, "announcement");

        Assert.Empty(Ids(await _bob.GetAsync("/search?q=announcement")));
        await _bob.RefusedAsync(HttpMethod.Get, $"/search?q=announcement&conversation={channel}", null, HttpStatusCode.Forbidden, "not-a-member");
    }

    [Fact]
    public async Task Search_FindsTheNewestText_AndNoDeletedOne()
    {
        var group = await _ada.CreateAsync("group", _bob);
        var (edited, deleted) = (await _ada.SendAsync(group, "first wording"), await _ada.SendAsync(group, "regretted wording"));
        await _ada.EditAsync(group, edited, "final version");
        await _ada.DeleteAsync(group, deleted);

        Assert.Empty(Ids(await _bob.GetAsync("/search?q=wording")));
        Assert.Single(Ids(await _bob.GetAsync("/search?q=final")));
    }

    [Fact]
    public async Task Search_FindsMessagesOfABlockedUser()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await _bob.SendAsync(group, "blocked words");
        await _ada.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{_bob.Id}/block");

        Assert.Single(Ids(await _ada.GetAsync("/search?q=blocked")));
    }

    [Fact]
    public async Task Search_PagesByTheCursor()
    {
        var group = await _ada.CreateAsync("group");
        var sent = new List<long>();
        for (var i = 0; i < 5; i++) sent.Add(await _ada.SendAsync(group, $"page {i}"));

        var first = await _ada.GetAsync("/search?q=page&limit=3");
        Assert.True((bool)first["more"]!);
        var second = await _ada.GetAsync($"/search?q=page&limit=3&before={first["before"]}");
        Assert.Equal((false, null), ((bool)second["more"]!, (string?)second["before"]));

        var found = first["items"]!.AsArray().Concat(second["items"]!.AsArray()).Select(item => (long)item!["seq"]!);
        Assert.Equal(sent.AsEnumerable().Reverse(), found);
    }

    [Fact]
    public async Task Search_LongText_IsCutAroundTheWord()
    {
        var group = await _ada.CreateAsync("group");
        await _ada.SendAsync(group, string.Join(' ', Enumerable.Repeat("filler 😀😀😀", 250)) + " needle " + string.Join(' ', Enumerable.Repeat("😀😀😀 filler", 250)));

        var snippet = (string)(await _ada.GetAsync("/search?q=needle"))["items"]![0]!["snippet"]!;
        Assert.Contains(" needle ", snippet, StringComparison.Ordinal);
        Assert.InRange(snippet.Length, 100, 165);
        Assert.StartsWith("…", snippet, StringComparison.Ordinal);
        Assert.EndsWith("…", snippet, StringComparison.Ordinal);
        Assert.DoesNotContain('\uFFFD', snippet);
    }

    [Theory]
    [InlineData("/search", "q must hold")]
    [InlineData("/search?q=", "q must hold")]
    [InlineData("/search?q=%20%20", "q must hold")]
    [InlineData("/search?q=a%00b", "q must not hold")]
    [InlineData("/search?q=a&limit=0", "limit must be")]
    [InlineData("/search?q=a&limit=51", "limit must be")]
    [InlineData("/search?q=a&before=x", "before must be")]
    [InlineData("/search?q=a&before=AAAA", "before must be")]
    [InlineData("/search?q=a&before=_______________________________________-_w", "before must be")]
    [InlineData("/channels?q=a%00b", "q must not hold")]
    [InlineData("/channels?after=x", "after must be")]
    [InlineData("/channels?after=AAAAAAAAAAAAAAAAAAAAAA", "after must be")]
    public async Task BadInput_IsNamed(string path, string detail)
    {
        var problem = await _ada.RefusedAsync(HttpMethod.Get, path, null, HttpStatusCode.BadRequest, "invalid-argument");
        Assert.StartsWith(detail, (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Query_Of200Characters_IsAccepted_AndALongerOneIsRefused()
    {
        Assert.Empty(Ids(await _ada.GetAsync($"/search?q={string.Join('+', Enumerable.Repeat("a", 100))}")));
        await _ada.RefusedAsync(HttpMethod.Get, $"/search?q={new string('a', 201)}", null, HttpStatusCode.BadRequest, "invalid-argument");
        await _ada.RefusedAsync(HttpMethod.Get, "/search?q=a&conversation=none", null, HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Searches_AreLimitedPerUser()
    {
        HttpResponseMessage? refused = null;
        for (var i = 0; i < 60 && refused is null; i++)
        {
            var answer = await _ada.CallAsync(HttpMethod.Get, i % 2 == 0 ? "/search?q=a" : "/channels");
            if (answer.StatusCode == HttpStatusCode.TooManyRequests) refused = answer;
            else answer.Dispose();
        }

        using (refused)
        {
            Assert.NotNull(refused);
            await refused.ReadProblemAsync(HttpStatusCode.TooManyRequests, "too-many-requests");
            Assert.InRange((int)refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 10);
        }

        // Another user is not affected.
        await _bob.GetAsync("/search?q=a");
    }

    [Fact]
    public async Task Channels_AreThoseThatTheCallerMayJoin()
    {
        var mark = Guid.NewGuid().ToString("N");
        var (open, closed, barring) = (await Channel("Open"), await Channel("Closed"), await Channel("Barring"));
        using (await _ada.CallAsync(HttpMethod.Delete, $"/conversations/{closed}")) { }
        await _ada.SetMemberAsync(barring, _bob);
        await _ada.RemoveAsync(barring, _bob);

        Assert.Equal([open], await ListAsync(_bob));
        Assert.Equal([barring, open], await ListAsync(_carol));
        Assert.Empty(await ListAsync(_ada));

        var item = (await _bob.GetAsync($"/channels?q={mark}"))["items"]![0]!;
        Assert.Equal(($"Open {mark}", 1, null), ((string?)item["title"], (int)item["members"]!, (string?)item["lastAt"]));
        await _bob.SetMemberAsync(open, _bob);
        Assert.Empty(await ListAsync(_bob));
        await _bob.RemoveAsync(open, _bob);
        Assert.Equal([open], await ListAsync(_bob));

        async Task<Guid> Channel(string title) => (Guid)(await _ada.DoAsync(
            HttpMethod.Post, "/conversations", new { kind = "channel", title = $"{title} {mark}", clientId = Guid.NewGuid() }, HttpStatusCode.Created))["id"]!;
        async Task<Guid[]> ListAsync(ChatUser user) => [.. (await user.GetAsync($"/channels?q={mark}"))["items"]!.AsArray().Select(channel => (Guid)channel!["id"]!)];
    }

    [Theory]
    [InlineData("/search?q=a")]
    [InlineData("/channels")]
    public async Task Anonymous_IsRefused(string path)
    {
        using var answer = await pulse.Anonymous.GetAsync(path);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    private static Guid[] Ids(JsonObject page) => [.. page["items"]!.AsArray().Select(item => (Guid)item!["conversationId"]!)];
}
