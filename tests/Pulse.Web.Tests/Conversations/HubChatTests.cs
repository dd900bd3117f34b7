using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Conversations;

/// <summary>The chat on the hub: opening, runs, removal, typing, receipts, the inbox, and syncing.</summary>
[Collection(SharedPulse.Name)]
public sealed class HubChatTests(PulseApplication pulse) : IAsyncLifetime
{
    private ChatUser _ada = null!;
    private ChatUser _bob = null!;

    public async Task InitializeAsync() => (_ada, _bob) = (await ChatUser.SyncAsync(pulse, "Ada"), await ChatUser.SyncAsync(pulse, "Bob"));

    public Task DisposeAsync()
    {
        _ada.Dispose();
        _bob.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task OpenConversation_GetsEveryEntryOnceAndInOrder_OnBothSockets()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await _ada.SendAsync(group, "before");
        await using var adas = await _ada.ConnectAsync();
        await using var bobs = await _bob.ConnectAsync();
        var opened = await bobs.OpenAsync(group);
        Assert.Equal((1, 2), (opened.GetProperty("from").GetInt64(), opened.GetProperty("head").GetInt64()));
        Assert.Equal([1, 2], opened.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("seq").GetInt64()));
        Assert.Equal((false, false), (opened.GetProperty("tooFar").GetBoolean(), opened.GetProperty("reset").GetBoolean()));
        Assert.Equal("member", opened.GetProperty("you").GetProperty("role").GetString());
        Assert.Empty((await adas.OpenAsync(group, after: 2)).GetProperty("entries").EnumerateArray());

        var sends = Enumerable.Range(0, 30).Select(i => (i % 2 == 0 ? adas : bobs).SendAsync(group, $"message {i}")).ToArray();
        var seqs = await Task.WhenAll(sends);
        var edit = await _ada.EditAsync(group, 2, "edited");

        long[] expected = [.. Enumerable.Range(3, 31).Select(seq => (long)seq)];
        Assert.Equal(expected, seqs.Order().Append(edit));
        foreach (var socket in new[] { adas, bobs })
        {
            await socket.UntilAsync(group, edit);
            Assert.Equal(expected, socket.Seqs(group));
            Assert.All(socket.Received("EntriesAdded", group), run => Assert.Equal(run.GetProperty("from").GetInt64(), run.GetProperty("entries")[0].GetProperty("seq").GetInt64()));
        }

        var stored = await _bob.EntriesAsync(group, after: 2);
        Assert.Equal(stored.Select(entry => entry.ToJsonString()), bobs.Entries(group).Select(entry => JsonNode.Parse(entry.GetRawText())!.ToJsonString()));
    }

    [Fact]
    public async Task ClosedConversation_GetsNoFurtherEntry()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await using var bobs = await _bob.ConnectAsync();
        await using var others = await _bob.ConnectAsync();
        await bobs.OpenAsync(group);
        await others.OpenAsync(group);
        await bobs.DoAsync("CloseConversation", group);
        await bobs.DoAsync("CloseConversation", group);

        var seq = await _ada.SendAsync(group, "news");

        // The inbox, which the closed socket gets and the open one does not, is later than the entry.
        await others.UntilAsync(group, seq);
        await bobs.InboxAsync(group, item => item.GetProperty("head").GetInt64() == seq);
        Assert.Empty(bobs.Seqs(group));
        Assert.Empty(others.Received("InboxChanged", group));
    }

    [Fact]
    public async Task RemovedUser_GetsConversationGone_AndNoLaterEntry_UnderAStreamOfSends()
    {
        using var carol = await ChatUser.SyncAsync(pulse, "Carol");
        var group = await _ada.CreateAsync("group", _bob, carol);
        await _ada.SetMemberAsync(group, carol, "moderator");
        await using var adas = await _ada.ConnectAsync();
        await using var bobs = await _bob.ConnectAsync();
        await using var second = await _bob.ConnectAsync();
        await adas.OpenAsync(group);
        await bobs.OpenAsync(group);
        await second.OpenAsync(group);

        // Ten sends before the removal and ten after it, without a pause between them.
        var before = Enumerable.Range(0, 10).Select(i => adas.SendAsync(group, $"before {i}")).ToList();
        var removal = carol.RemoveAsync(group, _bob);
        var after = Enumerable.Range(0, 8).Select(i => adas.SendAsync(group, $"after {i}")).ToList();
        await Task.WhenAll([.. before, .. after]);
        var removed = await removal;
        var last = await _ada.SendAsync(group, "last");
        await adas.UntilAsync(group, last);

        foreach (var socket in new[] { bobs, second })
        {
            var gone = await socket.NextAsync("ConversationGone");
            Assert.Equal((group, "removed"), (gone.GetProperty("conversationId").GetGuid(), gone.GetProperty("reason").GetString()));

            // A later answer on the same socket: whatever was written before has arrived.
            await socket.RefusedAsync("not-found", "OpenConversation", group, 0);
            await socket.RefusedAsync("not-found", "Typing", group);
            Assert.All(socket.Seqs(group), seq => Assert.True(seq <= removed, $"Entry {seq} reached a user who was removed at {removed}."));
            Assert.All(
                socket.Received("InboxChanged", group).Select(message => message.GetProperty("conversations")[0].GetProperty("head").GetInt64()),
                head => Assert.True(head < removed, $"A hint with the head {head} reached a user who was removed at {removed}."));
        }

        await _bob.RefusedAsync(HttpMethod.Get, $"/conversations/{group}/entries", null, System.Net.HttpStatusCode.NotFound, "not-found");
        Assert.Equal(Enumerable.Range(3, (int)last - 2).Select(seq => (long)seq), adas.Seqs(group));
    }

    [Fact]
    public async Task RemovedUser_WhoComesBack_GetsEntriesAgain()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await using var bobs = await _bob.ConnectAsync();
        await bobs.OpenAsync(group);
        await _ada.RemoveAsync(group, _bob);
        await bobs.NextAsync("ConversationGone");
        var added = await _ada.SetMemberAsync(group, _bob);

        var opened = await bobs.OpenAsync(group);
        Assert.Equal([added], opened.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("seq").GetInt64()));
        var seq = await _ada.SendAsync(group, "welcome back");
        await bobs.UntilAsync(group, seq);
    }

    [Fact]
    public async Task Typing_IsShownToWhoeverHasTheConversationOpen_UntilTheUsersMessage()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await using var adas = await _ada.ConnectAsync();
        await using var bobs = await _bob.ConnectAsync();
        await adas.OpenAsync(group);

        await bobs.DoAsync("Typing", group);
        var typing = await adas.NextAsync("TypingChanged");
        Assert.Equal(group, typing.GetProperty("conversationId").GetGuid());
        Assert.Equal([_bob.Id], typing.GetProperty("userIds").EnumerateArray().Select(id => id.GetGuid()));
        Assert.Equal([_bob.Id], (await bobs.OpenAsync(group)).GetProperty("typing").EnumerateArray().Select(id => id.GetGuid()));

        await bobs.SendAsync(group, "typed");
        await adas.NextAsync("TypingChanged", message => message.GetProperty("userIds").GetArrayLength() == 0);
    }

    [Fact]
    public Task Typing_ThatGoesOn_IsShownAgainBeforeClientsEndTheMark() => Runs.OneOfThreePassesAsync(async () =>
    {
        var group = await _ada.CreateAsync("group", _bob);
        await using var adas = await _ada.ConnectAsync();
        await using var bobs = await _bob.ConnectAsync();
        await adas.OpenAsync(group);

        // As a client that calls every 3 seconds. A mark ends 6 seconds after the last message.
        await bobs.DoAsync("Typing", group);
        await adas.NextAsync("TypingChanged");
        await Task.Delay(TimeSpan.FromSeconds(3));
        await bobs.DoAsync("Typing", group);

        // The empty list is the end of the mark, and must not come before the repetition.
        await Eventually.AsyncTrue("two messages", () => Task.FromResult(adas.Received("TypingChanged", group).Length >= 2));
        Assert.All(adas.Received("TypingChanged", group)[..2], typing => Assert.Equal(_bob.Id, Assert.Single(typing.GetProperty("userIds").EnumerateArray()).GetGuid()));
    });

    [Fact]
    public async Task ReadMarker_ReachesTheOthers_AndTheUsersOwnSockets()
    {
        var group = await _ada.CreateAsync("group", _bob);
        var message = await _ada.SendAsync(group, "read me", _bob);
        await using var adas = await _ada.ConnectAsync();
        await using var bobs = await _bob.ConnectAsync();
        await using var phone = await _bob.ConnectAsync();
        await adas.OpenAsync(group);
        await RegisteredAsync(phone, _bob);

        var read = await bobs.CallAsync("MarkRead", group, message);
        Assert.Equal((message, 0), (read.GetProperty("read").GetInt64(), read.GetProperty("unread").GetInt32()));
        var marker = (await adas.NextAsync("ReadChanged")).GetProperty("markers")[0];
        Assert.Equal((_bob.Id, message), (marker.GetProperty("userId").GetGuid(), marker.GetProperty("read").GetInt64()));
        var item = await phone.InboxAsync(group, changed => changed.GetProperty("you").GetProperty("read").GetInt64() == message);
        Assert.Equal((0, 0), (item.GetProperty("you").GetProperty("unread").GetInt32(), item.GetProperty("you").GetProperty("mentions").GetInt32()));

        // A lower mark changes nothing.
        Assert.Equal(message, (await bobs.CallAsync("MarkRead", group, 1)).GetProperty("read").GetInt64());
        Assert.Equal(message, (await adas.OpenAsync(group)).GetProperty("markers").EnumerateArray().Single(other => other.GetProperty("userId").GetGuid() == _bob.Id).GetProperty("read").GetInt64());
    }

    [Fact]
    public async Task InboxChanged_ReachesMembersWithoutTheConversationOpen()
    {
        await using var bobs = await _bob.ConnectAsync();
        var group = await _ada.CreateAsync("group");
        await RegisteredAsync(bobs, _bob);

        // An addition, a message, an edit that mentions, and a mute.
        var added = await _ada.SetMemberAsync(group, _bob);
        var item = await bobs.InboxAsync(group);
        Assert.Equal((added, added, "Plans"), (item.GetProperty("head").GetInt64(), item.GetProperty("you").GetProperty("read").GetInt64(), item.GetProperty("title").GetString()));
        var message = await _ada.SendAsync(group, "news");
        item = await bobs.InboxAsync(group, changed => changed.GetProperty("head").GetInt64() == message);
        Assert.Equal((1, 0), Counts(item));
        Assert.Equal("news", item.GetProperty("last").GetProperty("text").GetString());
        var edit = await _ada.EditAsync(group, message, "news, Bob", _bob);
        Assert.Equal((1, 1), Counts(await bobs.InboxAsync(group, changed => changed.GetProperty("head").GetInt64() == edit)));
        await _bob.DoWithoutAnswerAsync(HttpMethod.Put, $"/conversations/{group}/mute");
        await bobs.InboxAsync(group, changed => changed.GetProperty("you").GetProperty("muted").GetBoolean());
        await _ada.SetMemberAsync(group, _bob, "moderator");
        await bobs.InboxAsync(group, changed => changed.GetProperty("you").GetProperty("role").GetString() == "moderator");

        // A removal also reaches a user whose client keeps the conversation closed.
        await _ada.RemoveAsync(group, _bob);
        Assert.Equal(group, (await bobs.NextAsync("ConversationGone")).GetProperty("conversationId").GetGuid());

        static (int, int) Counts(JsonElement item) => (item.GetProperty("you").GetProperty("unread").GetInt32(), item.GetProperty("you").GetProperty("mentions").GetInt32());
    }

    [Fact]
    public async Task DirectConversation_ReachesTheOthersInbox_WithItsFirstMessage()
    {
        await using var bobs = await _bob.ConnectAsync();
        await RegisteredAsync(bobs, _bob);
        var direct = await _ada.CreateAsync("direct", _bob);
        var message = await _ada.SendAsync(direct, "hello");

        await bobs.InboxAsync(direct, changed => changed.GetProperty("head").GetInt64() == message);
        Assert.All(bobs.Received("InboxChanged", direct), told => Assert.NotEqual(1, told.GetProperty("conversations")[0].GetProperty("head").GetInt64()));
    }

    [Fact]
    public async Task FiftyFirstOpen_IsRefused_UntilOneIsClosed()
    {
        var groups = new List<Guid>();
        var owners = new List<ChatUser>();
        for (var i = 0; i < 6; i++)
        {
            var owner = await ChatUser.SyncAsync(pulse, $"Owner {i}");
            owners.Add(owner);
            for (var j = 0; j < 9 && groups.Count < 51; j++) groups.Add(await owner.CreateAsync("group", _bob));
        }

        await using var bobs = await _bob.ConnectAsync();
        foreach (var group in groups.Take(50)) await bobs.OpenAsync(group);
        await bobs.RefusedAsync("too-many-open", "OpenConversation", groups[50], 0);

        // One that is open already counts once.
        await bobs.OpenAsync(groups[0]);
        await bobs.DoAsync("CloseConversation", groups[0]);
        await bobs.OpenAsync(groups[50]);
        foreach (var owner in owners) owner.Dispose();
    }

    [Fact]
    public async Task Sync_AnswersWhatIsMissing_InTheOrderAsked()
    {
        var (one, two, left) = (await _ada.CreateAsync("group", _bob), await _ada.CreateAsync("channel", _bob), await _ada.CreateAsync("group", _bob));
        await _ada.SendAsync(one, "missed");
        await _ada.DeleteAsync(one, await _ada.SendAsync(one, "missed and deleted"));
        await _bob.RemoveAsync(left, _bob);
        await using var bobs = await _bob.ConnectAsync();
        var unknown = Guid.NewGuid();

        var answers = await bobs.SyncAsync((two, 1), (one, 2), (left, 1), (unknown, 1), (one, 99));

        Assert.Equal([two, one, left, unknown, one], answers.EnumerateArray().Select(answer => answer.GetProperty("id").GetGuid()));
        Assert.Equal([false, false, true, true, false], Flags("gone"));
        Assert.Equal([false, false, false, false, true], Flags("reset"));
        Assert.Equal([false, false, false, false, false], Flags("tooFar"));
        Assert.Equal((1, 1), (answers[0].GetProperty("head").GetInt64(), answers[0].GetProperty("from").GetInt64()));
        Assert.Empty(answers[0].GetProperty("entries").EnumerateArray());
        Assert.Equal(["message", "delete"], answers[1].GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("kind").GetString()!));
        Assert.Equal(JsonValueKind.Null, answers[1].GetProperty("entries")[0].GetProperty("text").ValueKind);

        bool[] Flags(string name) => [.. answers.EnumerateArray().Select(answer => answer.GetProperty(name).GetBoolean())];
    }

    [Fact]
    public async Task Open_PastTheGrainsHead_NotTheDatabases_IsToBeRepeated()
    {
        var group = await _ada.CreateAsync("group", _bob);
        var seq = await _ada.SendAsync(group, "before");

        // As while the grain does not know yet that its append has committed.
        await using (var connection = await pulse.Services.GetRequiredService<IStoreDatabase>().DataSource.OpenConnectionAsync())
        await using (var command = connection.CreateCommand())
        {
            var id = $"'{group:D}'";
            command.CommandText =
                $"""
                INSERT INTO entries (conversation_id, seq, kind, sender_id, body, sent_at)
                SELECT conversation_id, seq + 1, kind, sender_id, body, sent_at FROM entries WHERE conversation_id = {id} AND seq = {seq};
                UPDATE conversations SET head = {seq + 1} WHERE id = {id};
                """;
            await command.ExecuteNonQueryAsync();
        }

        await using var socket = await _bob.ConnectAsync();
        await socket.RefusedAsync("unavailable", "OpenConversation", [group, seq + 1]);
        Assert.True((await socket.OpenAsync(group, after: seq + 2)).GetProperty("reset").GetBoolean());
    }

    [Fact]
    public async Task Open_PastTheHead_SaysReset()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await using var bobs = await _bob.ConnectAsync();

        var opened = await bobs.OpenAsync(group, after: 7);
        Assert.True(opened.GetProperty("reset").GetBoolean());
        Assert.Equal(1, opened.GetProperty("head").GetInt64());

        // What follows arrives all the same.
        await bobs.UntilAsync(group, await _ada.SendAsync(group, "news"));
    }

    [Fact]
    public async Task HubAnswers_EqualThoseOfRest()
    {
        var group = await _ada.CreateAsync("group", _bob);
        await using var adas = await _ada.ConnectAsync();
        var seq = await adas.SendAsync(group, "one");
        Assert.Equal(seq, (await adas.CallAsync("EditMessage", group, seq, new { text = "one" })).GetProperty("seq").GetInt64());
        Assert.Equal(seq + 1, (await adas.CallAsync("EditMessage", group, seq, new { text = "two" })).GetProperty("seq").GetInt64());
        Assert.Equal(seq + 2, (await adas.CallAsync("React", group, seq, "👍", true)).GetProperty("seq").GetInt64());
        Assert.Equal(seq + 2, (await adas.CallAsync("React", group, seq, "👍", true)).GetProperty("seq").GetInt64());
        Assert.Equal(seq + 3, (await adas.CallAsync("DeleteMessage", group, seq)).GetProperty("seq").GetInt64());
        Assert.Equal(seq + 3, (await adas.CallAsync("DeleteMessage", group, seq)).GetProperty("seq").GetInt64());
        Assert.Equal(seq + 3, await _ada.DeleteAsync(group, seq));
    }

    // The front end registers for hints within seconds of its first socket: until then there are none.
    private static async Task RegisteredAsync(ChatClient socket, ChatUser user)
    {
        var own = await user.CreateAsync("group");
        var muted = false;
        await Eventually.AsyncTrue("a change of the user's own part reaches the user's socket", async () =>
        {
            muted = !muted;
            await user.DoWithoutAnswerAsync(muted ? HttpMethod.Put : HttpMethod.Delete, $"/conversations/{own}/mute");
            return socket.Received("InboxChanged", own).Length > 0;
        });
    }
}
