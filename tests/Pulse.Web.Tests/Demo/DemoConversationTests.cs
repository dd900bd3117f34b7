using System.Text.Json;
using Pulse.Conversations;
using Pulse.Web.Demo;
using Pulse.Web.Tests.Conversations;

namespace Pulse.Web.Tests.Demo;

/// <summary><c>--demo</c> people in conversations, at twenty times their pace.</summary>
public sealed class DemoConversationTests(DemoConversationTests.Application pulse) : IClassFixture<DemoConversationTests.Application>
{
    private static readonly DemoPerson s_mikko = DemoPerson.Everybody.Single(person => person.Profile.Name == "Mikko Virtanen");

    public sealed class Application() : DemoApplication(DemoPace.Natural.MaxEntries);

    [Fact]
    public async Task PersonWhomAUserWritesTo_Types_ThenAnswersOnce_AndMarksAsRead()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada Lovelace");
        await PeopleAsync();
        var direct = await CreateDirectAsync(ada, s_mikko);
        await using var socket = await ada.ConnectAsync();
        await socket.OpenAsync(direct);

        var seq = await socket.SendAsync(direct, "Thank you!");

        await socket.NextAsync("TypingChanged", told => Contains(told.GetProperty("userIds"), s_mikko));
        await socket.NextAsync("EntriesAdded", told => MessagesOf(s_mikko, told).Length > 0);
        var names = socket.Names(direct);
        Assert.True(Array.IndexOf(names, "TypingChanged") >= 0);
        var read = await socket.NextAsync("ReadChanged", told => told.GetProperty("markers").EnumerateArray().Any(marker => marker.GetProperty("userId").GetGuid() == s_mikko.Id));
        Assert.True(read.GetProperty("markers")[0].GetProperty("read").GetInt64() >= seq);

        // The next message has one answer too: no answer is answered.
        var next = await socket.SendAsync(direct, "See you!");
        await socket.NextAsync("EntriesAdded", told => MessagesOf(s_mikko, told).Any(message => message.GetProperty("seq").GetInt64() > next));
        Assert.Equal(2, (await ada.MessagesAsync(direct)).Count(message => (Guid)message["senderId"]! == s_mikko.Id));
    }

    [Fact]
    public async Task NewUser_IsAddedToATalkingGroup_IsWrittenTo_AndFindsTheChannel()
    {
        using var grace = await ChatUser.SyncAsync(pulse, "Grace Hopper");
        await PeopleAsync();

        // The channel is opened after the first talk of the group, and new users are welcomed after both.
        await Eventually.AsyncTrue("the channel", async () =>
            (await grace.GetAsync("/channels"))["items"]!.AsArray().Any(channel => (string?)channel!["title"] == "Coffee corner"));
        await using var socket = await grace.ConnectAsync();

        var group = (await InboxAsync(socket, "group")).GetProperty("id").GetGuid();
        var welcome = await InboxAsync(socket, "direct");

        Assert.Contains("Grace", welcome.GetProperty("last").GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains((await grace.MessagesAsync(group)).SelectMany(message => message["reactions"]!.AsArray()), reaction => (int)reaction!["count"]! == 1);
        Assert.True(await grace.HeadAsync(group) > 5, "The group has no history.");
    }

    private static bool Contains(JsonElement ids, DemoPerson person) => ids.EnumerateArray().Any(id => id.GetGuid() == person.Id);

    private static JsonElement[] MessagesOf(DemoPerson person, JsonElement run) =>
        [.. run.GetProperty("entries").EnumerateArray().Where(entry => entry.GetProperty("kind").GetString() == EntryKinds.Message && entry.GetProperty("senderId").GetGuid() == person.Id)];

    private static async Task<JsonElement> InboxAsync(ChatClient socket, string kind)
    {
        bool Fits(JsonElement item) => item.GetProperty("kind").GetString() == kind && item.GetProperty("last").ValueKind == JsonValueKind.Object;
        var told = await socket.NextAsync("InboxChanged", message => message.GetProperty("conversations").EnumerateArray().Any(Fits));
        return told.GetProperty("conversations").EnumerateArray().First(Fits);
    }

    private static async Task<Guid> CreateDirectAsync(ChatUser user, DemoPerson person) => (Guid)(await user.DoAsync(
        HttpMethod.Post, "/conversations", new { kind = "direct", members = new[] { person.Id }, clientId = Guid.NewGuid() }, System.Net.HttpStatusCode.Created))["id"]!;

    private Task PeopleAsync() => pulse.PeopleAsync();
}
