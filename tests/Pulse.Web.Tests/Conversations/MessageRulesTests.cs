using System.Net;
using System.Text.Json.Nodes;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Messages, edits, deletions, reactions, repeats, markers and counts over REST.</summary>
[Collection(SharedPulse.Name)]
public sealed class MessageRulesTests(PulseApplication pulse) : IAsyncLifetime
{
    private ChatUser _ada = null!;
    private ChatUser _bob = null!;
    private Guid _group;

    public async Task InitializeAsync()
    {
        (_ada, _bob) = (await ChatUser.SyncAsync(pulse, "Ada"), await ChatUser.SyncAsync(pulse, "Bob"));
        _group = await _ada.CreateAsync("group", _bob);
    }

    public Task DisposeAsync()
    {
        _ada.Dispose();
        _bob.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task RepeatedMessage_GetsTheFirstAnswer()
    {
        var message = new { clientId = Guid.NewGuid(), text = " kept as sent\n", mentions = new[] { _bob.Id }, replyTo = await _bob.SendAsync(_group, "question") };

        using var first = await _ada.CallAsync(HttpMethod.Post, $"/conversations/{_group}/messages", message);
        var body = (await first.ReadAsync(HttpStatusCode.Created)).ToJsonString();
        Assert.Equal($"/conversations/{_group}/messages?around=3", first.Headers.Location?.ToString());
        Assert.Equal("no-store", first.Headers.CacheControl?.ToString());
        var repeated = await _ada.DoAsync(HttpMethod.Post, $"/conversations/{_group}/messages", message);

        Assert.Equal(body, repeated.ToJsonString());
        Assert.Equal(3, await _ada.HeadAsync(_group));
        var stored = (await _bob.MessagesAsync(_group))[^1];
        Assert.Equal((message.text, message.clientId, message.replyTo), ((string?)stored["text"], (Guid)stored["clientId"]!, (long)stored["replyTo"]!));
        Assert.Equal(_bob.Id, (Guid)Assert.Single(stored["mentions"]!.AsArray())!);
    }

    [Fact]
    public async Task RepeatedMessage_AfterAnEditOrADeletion_GetsTheFirstAnswer_WhateverItSays()
    {
        var (edited, deleted) = (Guid.NewGuid(), Guid.NewGuid());
        foreach (var clientId in new[] { edited, deleted }) await PostAsync(clientId, "x", HttpStatusCode.Created);
        await _ada.EditAsync(_group, 2, "y");
        await _ada.DeleteAsync(_group, 3);

        Assert.Equal(2, await PostAsync(edited, "x", HttpStatusCode.OK));
        Assert.Equal(2, await PostAsync(edited, "z", HttpStatusCode.OK));
        Assert.Equal(3, await PostAsync(deleted, "z", HttpStatusCode.OK));
        Assert.Equal(5, await _ada.HeadAsync(_group));
    }

    [Fact]
    public async Task RepeatsAtOnce_OnSeveralConnections_MakeOneEntry()
    {
        await using var one = await _ada.ConnectAsync();
        await using var two = await _ada.ConnectAsync();
        for (var round = 0; round < 4; round++)
        {
            var message = new { clientId = Guid.NewGuid(), text = $"round {round}" };
            var calls = Enumerable.Range(0, 2).SelectMany(_ => new[] { one, two }).Select(socket => socket.CallAsync("SendMessage", _group, message)).ToList();
            using var answer = await _ada.CallAsync(HttpMethod.Post, $"/conversations/{_group}/messages", message);
            Assert.True(answer.IsSuccessStatusCode);
            var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            foreach (var call in calls) Assert.Equal(body.ToJsonString(), (await call).GetRawText());
        }

        Assert.Equal(["created", "message", "message", "message", "message"], (await _bob.EntriesAsync(_group)).Select(entry => (string)entry["kind"]!));
    }

    [Fact]
    public async Task After_OrdersTheMessagesOfOneSender()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        await _ada.RefusedAsync(
            HttpMethod.Post, $"/conversations/{_group}/messages", new { clientId = second, text = "two", after = first }, HttpStatusCode.Conflict, "predecessor-missing");
        await PostAsync(first, "one", HttpStatusCode.Created);
        await _ada.DoAsync(HttpMethod.Post, $"/conversations/{_group}/messages", new { clientId = second, text = "two", after = first }, HttpStatusCode.Created);

        Assert.Equal(["one", "two"], (await _bob.MessagesAsync(_group)).Select(message => (string)message["text"]!));
    }

    [Fact]
    public async Task Edit_ReplacesTheText_AndOneThatChangesNothing_IsNotWritten()
    {
        var message = await _ada.SendAsync(_group, "helo", _bob);
        Assert.Equal(message, await _ada.EditAsync(_group, message, "helo", _bob));
        var edit = await _ada.EditAsync(_group, message, "hello");
        Assert.Equal(edit, await _ada.EditAsync(_group, message, "hello"));

        // The present text precedes the conflict.
        var path = $"/conversations/{_group}/messages/{message}";
        Assert.Equal(edit, (long)(await _ada.DoAsync(HttpMethod.Patch, path, new { text = "hello", edited = 0 }))["seq"]!);
        await _ada.RefusedAsync(HttpMethod.Patch, path, new { text = "hallo", edited = 0 }, HttpStatusCode.Conflict, "edit-conflict");
        var last = (long)(await _ada.DoAsync(HttpMethod.Patch, path, new { text = "hallo", edited = edit }))["seq"]!;

        Assert.Equal((message + 1, message + 2, message + 2), (edit, last, await _ada.HeadAsync(_group)));
        var shown = Assert.Single(await _bob.MessagesAsync(_group));
        Assert.Equal(("hallo", last, null), ((string?)shown["text"], (long)shown["editedSeq"]!, shown["deletedSeq"]));
        Assert.Empty(shown["mentions"]!.AsArray());
    }

    [Fact]
    public async Task Deletion_EmptiesTheMessageAndItsEdits_AndASecondOneIsNotWritten()
    {
        var message = await _ada.SendAsync(_group, "secret one", _bob);
        await _ada.EditAsync(_group, message, "secret two", _bob);
        await _bob.DoAsync(HttpMethod.Put, $"/conversations/{_group}/messages/{message}/reactions/a");
        Assert.Equal((1, 1, 1), await _bob.YouAsync(_group));
        var deletion = await _ada.DeleteAsync(_group, message);

        Assert.Equal(deletion, await _ada.DeleteAsync(_group, message));
        Assert.Equal(deletion, await _bob.HeadAsync(_group));
        var log = string.Join("\n", (await _bob.EntriesAsync(_group)).Select(entry => entry.ToJsonString()));
        Assert.DoesNotContain("secret", log, StringComparison.Ordinal);
        var shown = Assert.Single(await _bob.MessagesAsync(_group));
        Assert.Equal((null, deletion, 0, 0), (shown["text"], (long)shown["deletedSeq"]!, shown["mentions"]!.AsArray().Count, shown["reactions"]!.AsArray().Count));
        Assert.DoesNotContain("secret", (await _bob.GetAsync("/conversations")).ToJsonString(), StringComparison.Ordinal);
        Assert.Equal((0, 0), ((await _bob.YouAsync(_group)).Unread, (await _bob.YouAsync(_group)).Mentions));
        Assert.Equal(_ada.Id, (Guid)(await _bob.EntriesAsync(_group))[^1]["by"]!);
    }

    [Fact]
    public async Task Reaction_IsWrittenOncePerState()
    {
        var message = await _ada.SendAsync(_group, "cake?");
        var path = $"/conversations/{_group}/messages/{message}/reactions/{Uri.EscapeDataString("👍🏽")}";

        // The reaction is missing, so the answer names the seq of the message, which is the only entry.
        Assert.Equal(message, await ReactAsync(_bob, HttpMethod.Delete));
        var on = await ReactAsync(_bob, HttpMethod.Put);
        Assert.Equal(on, await ReactAsync(_bob, HttpMethod.Put));
        var adas = await ReactAsync(_ada, HttpMethod.Put);
        var reaction = Assert.Single(Assert.Single(await _bob.MessagesAsync(_group))["reactions"]!.AsArray());
        Assert.Equal(("👍🏽", 2, true), ((string)reaction!["emoji"]!, (int)reaction["count"]!, (bool)reaction["mine"]!));
        var off = await ReactAsync(_bob, HttpMethod.Delete);
        Assert.Equal(off, await ReactAsync(_bob, HttpMethod.Delete));
        reaction = Assert.Single(Assert.Single(await _bob.MessagesAsync(_group))["reactions"]!.AsArray());
        Assert.Equal((1, false), ((int)reaction!["count"]!, (bool)reaction["mine"]!));
        Assert.Equal((message + 1, message + 2, message + 3, message + 3), (on, adas, off, await _ada.HeadAsync(_group)));

        async Task<long> ReactAsync(ChatUser user, HttpMethod method) => (long)(await user.DoAsync(method, path))["seq"]!;
    }

    [Fact]
    public async Task MessageWith20DifferentEmoji_TakesNoFurtherOne()
    {
        var message = await _ada.SendAsync(_group, "letters");
        for (var i = 0; i < 20; i++) await ReactAsync(i % 2 == 0 ? _ada : _bob, (char)('a' + i));
        var head = await _ada.HeadAsync(_group);

        await _ada.RefusedAsync(HttpMethod.Put, $"/conversations/{_group}/messages/{message}/reactions/z", null, HttpStatusCode.BadRequest, "invalid-argument");
        Assert.Equal(head, await _ada.HeadAsync(_group));

        // A present emoji is still taken.
        await ReactAsync(_bob, 'a');
        Assert.Equal(head + 1, await _ada.HeadAsync(_group));

        Task ReactAsync(ChatUser user, char emoji) => user.DoAsync(HttpMethod.Put, $"/conversations/{_group}/messages/{message}/reactions/{emoji}");
    }

    [Fact]
    public async Task Counts_EqualTheirDefinition_AfterEditsDeletionsAndMarks()
    {
        var first = await _ada.SendAsync(_group, "one", _bob);
        await _bob.SendAsync(_group, "own");
        var second = await _ada.SendAsync(_group, "two");
        var third = await _ada.SendAsync(_group, "three", _bob);
        Assert.Equal((1, 3, 2), await _bob.YouAsync(_group));

        await _ada.EditAsync(_group, first, "one, without a mention");
        await _ada.EditAsync(_group, second, "two, with one", _bob);
        Assert.Equal((1, 3, 2), await _bob.YouAsync(_group));
        await _ada.DeleteAsync(_group, third);
        Assert.Equal((1, 2, 1), await _bob.YouAsync(_group));
        await AssertReadAsync(first, first, 1, 1);

        // The marker moves forward only, and not beyond the head.
        await AssertReadAsync(1, first, 1, 1);
        await AssertReadAsync(second, second, 0, 0);
        var head = await _ada.HeadAsync(_group);
        await AssertReadAsync(head, head, 0, 0);
        await AssertReadAsync(0, head, 0, 0);
        Assert.Equal((head, 0, 0), await _bob.YouAsync(_group));

        async Task AssertReadAsync(long seq, long read, int unread, int mentions)
        {
            var answer = await _bob.ReadAsync(_group, seq);
            Assert.Equal(
                (read, unread, false, mentions), ((long)answer["read"]!, (int)answer["unread"]!, (bool)answer["unreadMore"]!, (int)answer["mentions"]!));
        }
    }

    [Fact]
    public async Task Sending_MovesTheSendersMarker_OnlyToWhatTheClientSays()
    {
        await _ada.SendAsync(_group, "one");
        await _ada.SendAsync(_group, "two");
        await _bob.SendAsync(_group, "mine");
        Assert.Equal((1, 2), ((await _bob.YouAsync(_group)).Read, (await _bob.YouAsync(_group)).Unread));

        await _bob.DoAsync(HttpMethod.Post, $"/conversations/{_group}/messages", new { clientId = Guid.NewGuid(), text = "again", read = 2 }, HttpStatusCode.Created);
        Assert.Equal((2, 1, 0), await _bob.YouAsync(_group));
    }

    [Fact]
    public async Task MentionsByABlockedUser_DoNotCount()
    {
        await _ada.SendAsync(_group, "hey", _bob);
        Assert.Equal(1, (await _bob.YouAsync(_group)).Mentions);

        await _bob.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{_ada.Id}/block");
        await _ada.SendAsync(_group, "hey again", _bob);
        Assert.Equal((1, 2, 0), await _bob.YouAsync(_group));
        Assert.Equal(0, (int)(await _bob.ReadAsync(_group, 1))["mentions"]!);

        await _bob.DoWithoutAnswerAsync(HttpMethod.Delete, $"/users/{_ada.Id}/block");
        Assert.Equal((1, 2, 2), await _bob.YouAsync(_group));
    }

    [Fact]
    public async Task Pages_MeetWithoutGapOrOverlap()
    {
        for (var i = 0; i < 7; i++) await (i % 2 == 0 ? _ada : _bob).SendAsync(_group, $"m{i}");
        await _ada.EditAsync(_group, 2, "m0!");
        long[] all = [2, 3, 4, 5, 6, 7, 8];

        var backwards = new List<long>();
        for (JsonObject? page = null; page is null || (bool)page["hasBefore"]!;)
        {
            page = await _bob.GetAsync($"/conversations/{_group}/messages?limit=3{(page is null ? "" : $"&before={backwards[0]}")}");
            Assert.Equal((1L, 9L), ((long)page["from"]!, (long)page["head"]!));
            backwards.InsertRange(0, SeqsOf(page));
        }

        var forwards = new List<long>();
        for (JsonObject? page = null; page is null || (bool)page["hasAfter"]!;)
        {
            page = await _bob.GetAsync($"/conversations/{_group}/messages?limit=3&after={(page is null ? 0 : forwards[^1])}");
            forwards.AddRange(SeqsOf(page));
        }

        var around = await _bob.GetAsync($"/conversations/{_group}/messages?limit=3&around=5");
        Assert.Equal(all, backwards);
        Assert.Equal(all, forwards);
        Assert.Equal([4, 5, 6], SeqsOf(around));
        Assert.Equal((true, true), ((bool)around["hasBefore"]!, (bool)around["hasAfter"]!));

        var entries = new List<long>();
        while (entries.Count < 9)
        {
            var page = await _bob.GetAsync($"/conversations/{_group}/entries?limit=4&after={entries.LastOrDefault()}");
            entries.AddRange(page["entries"]!.AsArray().Select(entry => (long)entry!["seq"]!));
        }

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], entries);
        Assert.Empty(await _bob.EntriesAsync(_group, after: 9));
        Assert.Empty(await _bob.EntriesAsync(_group, after: 1_000));

        static IEnumerable<long> SeqsOf(JsonObject page) => page["items"]!.AsArray().Select(item => (long)item!["seq"]!);
    }

    [Fact]
    public async Task InboxPages_MeetWithoutGapOrOverlap_MostRecentMessageFirst()
    {
        var groups = new List<Guid> { _group };
        for (var i = 0; i < 4; i++) groups.Add(await _ada.CreateAsync("group", _bob));
        await _ada.SendAsync(groups[1], "the latest");
        Guid[] expected = [groups[1], groups[4], groups[3], groups[2], groups[0]];

        var found = new List<Guid>();
        string? before = null;
        do
        {
            var page = await _bob.GetAsync($"/conversations?limit=2{(before is null ? "" : $"&before={before}")}");
            found.AddRange(page["items"]!.AsArray().Select(item => (Guid)item!["id"]!));
            before = (string?)page["before"];
        }
        while (before is not null);

        Assert.Equal(expected, found);

        // Order and preview follow messages only.
        await _ada.DoAsync(HttpMethod.Patch, $"/conversations/{groups[2]}", new { title = "New title" });
        Assert.Equal(expected, await _bob.InboxAsync());
    }

    [Fact]
    public async Task Preview_IsCutAt200_WithoutHalfASurrogatePair()
    {
        await _ada.SendAsync(_group, new string('x', 199) + "😀 and more");
        var item = await _bob.GetAsync($"/conversations/{_group}");

        Assert.Equal(new string('x', 199), (string?)item["last"]!["text"]);
        Assert.Equal((string?)(await _bob.EntriesAsync(_group))[1]["sentAt"], (string?)item["lastAt"]);
    }

    [Fact]
    public async Task Mute_IsTheMembersOwn()
    {
        await _bob.DoWithoutAnswerAsync(HttpMethod.Put, $"/conversations/{_group}/mute");
        await _bob.DoWithoutAnswerAsync(HttpMethod.Put, $"/conversations/{_group}/mute");
        Assert.Equal((true, false), (await MutedAsync(_bob), await MutedAsync(_ada)));

        await _bob.DoWithoutAnswerAsync(HttpMethod.Delete, $"/conversations/{_group}/mute");
        Assert.False(await MutedAsync(_bob));
        Assert.Equal(1, await _bob.HeadAsync(_group));

        async Task<bool> MutedAsync(ChatUser user) => (bool)(await user.GetAsync($"/conversations/{_group}"))["you"]!["muted"]!;
    }

    private async Task<long> PostAsync(Guid clientId, string text, HttpStatusCode expected) =>
        (long)(await _ada.DoAsync(HttpMethod.Post, $"/conversations/{_group}/messages", new { clientId, text }, expected))["seq"]!;

    [Fact]
    public async Task TextWithANoncharacter_IsStoredAndFound_AndTheConversationGoesOn()
    {
        var group = await _ada.CreateAsync("group", _bob);
        var seq = await _ada.SendAsync(group, "before\uFFFEafter");
        await _ada.EditAsync(group, seq, "earlier\uFFFElater");
        Assert.Equal(seq + 2, await _bob.SendAsync(group, "next"));

        var found = await _bob.GetAsync($"/search?q={Uri.EscapeDataString("later\uFFFE")}&conversation={group}");
        Assert.Equal(seq, (long)Assert.Single(found["items"]!.AsArray())!["seq"]!);
    }
}
