using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Pulse.Conversations;
using Pulse.Web.Conversations;
using Pulse.Web.Tests.Presence;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Channels that <see cref="IConversationPolicy"/> hides from a user, in the real program.</summary>
public sealed class ChannelPolicyTests(ChannelPolicyTests.Application pulse) : IClassFixture<ChannelPolicyTests.Application>
{
    [Fact]
    public async Task Channel_ThatTheUserMayNotJoin_IsListedNowhere_AndAnsweredAsAnUnknownId()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        // Another stranger on the hub, because refused calls count too.
        using var carol = await ChatUser.SyncAsync(pulse, "Carol");
        var mark = $"{Guid.NewGuid():N}";
        var channel = await CreateAsync(ada, mark);

        Assert.Empty(await ListAsync(bob, mark));
        var unknown = Guid.NewGuid();
        foreach (var (method, path, body) in CallsWithAnId.Requests(bob.Id, ada.Id).Append((HttpMethod.Put, $"/members/{bob.Id}", null)))
            Assert.Equal(await NotFoundAsync(method, $"/conversations/{unknown}{path}", body), await NotFoundAsync(method, $"/conversations/{channel}{path}", body));
        Assert.Equal(
            await NotFoundAsync(HttpMethod.Get, $"/search?q=x&conversation={unknown}"), await NotFoundAsync(HttpMethod.Get, $"/search?q=x&conversation={channel}"));
        await using var socket = await carol.ConnectAsync();
        foreach (var (method, arguments) in CallsWithAnId.OnTheHub()) await socket.RefusedAsync("not-found", method, [channel, .. arguments]);

        Contacts.Add(ada.Id, bob.Id);
        Assert.Equal([channel], await ListAsync(bob, mark));
        await bob.RefusedAsync(HttpMethod.Get, $"/conversations/{channel}", null, HttpStatusCode.Forbidden, "not-a-member");
        await bob.SetMemberAsync(channel, bob);

        // Members stay. A former member is a stranger.
        Contacts.Remove(ada.Id, bob.Id);
        await bob.SendAsync(channel, "still here");
        await bob.RemoveAsync(channel, bob);
        Assert.Empty(await ListAsync(bob, mark));
        await NotFoundAsync(HttpMethod.Put, $"/conversations/{channel}/members/{bob.Id}");

        async Task<string> NotFoundAsync(HttpMethod method, string path, object? body = null)
        {
            var problem = await bob.RefusedAsync(method, path, body, HttpStatusCode.NotFound, "not-found");
            problem.Remove("traceId");
            return problem.ToJsonString();
        }
    }

    [Fact]
    public async Task ChannelBehindManyHiddenOnes_IsFound_WithCursorsThatShowNoHiddenTitle()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        using var eve = await ChatUser.SyncAsync(pulse, "Eve");
        Contacts.Add(ada.Id, bob.Id);
        var mark = $"{Guid.NewGuid():N}";
        await CreateManyAsync(520, index => (eve, $"hidden {index} {mark}"));
        var channel = await CreateAsync(ada, $"visible {mark}");

        var first = await bob.GetAsync($"/channels?q={mark}");
        Assert.Empty(first["items"]!.AsArray());
        var cursor = (string)first["after"]!;
        Assert.DoesNotContain("hidden", Decode(cursor), StringComparison.Ordinal);
        var second = await bob.GetAsync($"/channels?q={mark}&after={cursor}");
        Assert.Equal([channel], IdsOf(second));
        Assert.Null(second["after"]);

        var problem = await bob.RefusedAsync(HttpMethod.Get, $"/channels?after={cursor}x", null, HttpStatusCode.BadRequest, "invalid-argument");
        Assert.StartsWith("after must be", (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task PageAmongHiddenChannels_IsFull()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        using var eve = await ChatUser.SyncAsync(pulse, "Eve");
        Contacts.Add(ada.Id, bob.Id);
        var mark = $"{Guid.NewGuid():N}";
        await CreateManyAsync(120, index => (index % 2 == 0 ? ada : eve, $"{index:000} {mark}"));

        var first = await bob.GetAsync($"/channels?q={mark}");
        var second = await bob.GetAsync($"/channels?q={mark}&after={first["after"]}");

        Assert.Equal((50, 10), (IdsOf(first).Length, IdsOf(second).Length));
        Assert.Equal(
            Enumerable.Range(0, 60).Select(index => $"{index * 2:000} {mark}"),
            first["items"]!.AsArray().Concat(second["items"]!.AsArray()).Select(channel => (string)channel!["title"]!));
        Assert.Null(second["after"]);
    }

    [Fact]
    public async Task HiddenChannelBehindAFullPage_IsNotShownByACursor()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        using var eve = await ChatUser.SyncAsync(pulse, "Eve");
        Contacts.Add(ada.Id, bob.Id);
        var mark = $"{Guid.NewGuid():N}";
        await CreateManyAsync(55, index => (index < 50 ? ada : eve, $"{index:000} {mark}"));

        var page = await bob.GetAsync($"/channels?q={mark}");

        Assert.Equal(50, IdsOf(page).Length);
        Assert.Null(page["after"]);
    }

    private Contacts Contacts => pulse.Services.GetRequiredService<Contacts>();

    private static async Task<Guid> CreateAsync(ChatUser user, string title) => (Guid)(await user.DoAsync(
        HttpMethod.Post, "/conversations", new { kind = "channel", title, clientId = Guid.NewGuid() }, HttpStatusCode.Created))["id"]!;

    // Past the limit on new conversations of one user.
    private Task CreateManyAsync(int count, Func<int, (ChatUser Creator, string Title)> channel)
    {
        var grains = pulse.Services.GetRequiredService<IGrainFactory>();
        return Parallel.ForAsync(0, count, async (index, _) =>
        {
            var (creator, title) = channel(index);
            await grains.GetGrain<IConversationGrain>(Guid.NewGuid()).CreateAsync(new() { Kind = ConversationKinds.Channel, CreatorId = creator.Id, Title = title });
        });
    }

    private static async Task<Guid[]> ListAsync(ChatUser user, string mark) => IdsOf(await user.GetAsync($"/channels?q={mark}"));

    private static Guid[] IdsOf(JsonObject page) => [.. page["items"]!.AsArray().Select(channel => (Guid)channel!["id"]!)];

    // The text as base64url, where it is that.
    private static string Decode(string cursor)
    {
        var text = cursor.TrimStart('~');
        return Encoding.Latin1.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(text));
    }

    public sealed class Application : PulseApplication
    {
        private protected override void Adjust(IServiceCollection services)
        {
            services.AddSingleton<Contacts>();
            services.AddSingleton<IConversationPolicy, ContactsOnly>();
        }
    }
}
