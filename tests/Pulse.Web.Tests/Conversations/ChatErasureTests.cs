using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Conversations;
using Pulse.Web.Tests.Users;

namespace Pulse.Web.Tests.Conversations;

/// <summary>What remains of an erased user in conversations.</summary>
[Collection(SharedPulse.Name)]
public sealed class ChatErasureTests(PulseApplication pulse)
{
    [Fact]
    public async Task Erasure_EmptiesTheTexts_EndsTheMemberships_AndAppendsOneEntryPerConversation()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        var (group, direct, left) = (await ada.CreateAsync("group", bob), await ada.CreateAsync("direct", bob), await bob.CreateAsync("group", ada));
        var message = await ada.SendAsync(group, "secret one", bob);
        await ada.EditAsync(group, message, "secret two", bob);
        var bobs = await bob.SendAsync(group, "kept", ada);
        await ada.DoAsync(HttpMethod.Put, $"/conversations/{group}/messages/{bobs}/reactions/a");
        await ada.SendAsync(direct, "secret three");
        await ada.SendAsync(left, "secret four");
        await ada.RemoveAsync(left, ada);
        await ada.SetMemberAsync(group, bob, "owner");
        await ada.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{bob.Id}/block");
        await using var socket = await bob.ConnectAsync();
        await socket.OpenAsync(group);

        Assert.True(await pulse.Services.EraseUserAsync(ada.Id));
        await pulse.Services.GetRequiredService<IGrainFactory>().GetGrain<IConversationReaderGrain>(0).EraseAsync(ada.Id);

        foreach (var id in new[] { group, direct, left })
        {
            var entries = await bob.EntriesAsync(id);
            Assert.DoesNotContain("secret", string.Join("\n", entries.Select(entry => entry.ToJsonString())), StringComparison.Ordinal);
            var erasure = Assert.Single(entries, entry => (string?)entry["kind"] == "sender-erased");
            Assert.Equal((ada.Id, entries[^1]), ((Guid)erasure["senderId"]!, erasure));
            Assert.DoesNotContain("secret", (await bob.GetAsync($"/conversations/{id}")).ToJsonString(), StringComparison.Ordinal);
            Assert.Equal([bob.Id], (await bob.GetAsync($"/conversations/{id}/members"))["items"]!.AsArray().Select(item => (Guid)item!["userId"]!));
        }

        var messages = await bob.MessagesAsync(group);
        Assert.Equal([null, "kept"], messages.Select(shown => (string?)shown["text"]));
        Assert.Empty(messages[1]["reactions"]!.AsArray());
        Assert.Empty(messages[^1]["mentions"]!.AsArray());
        Assert.Equal((0, 0), ((await bob.YouAsync(group)).Unread, (await bob.YouAsync(group)).Mentions));
        var head = await bob.HeadAsync(group);
        await socket.UntilAsync(group, head);
        await using var later = await bob.ConnectAsync();
        Assert.DoesNotContain("secret", (await later.OpenAsync(group)).GetRawText(), StringComparison.Ordinal);

        // Repeating it appends nothing.
        await pulse.Services.GetRequiredService<IGrainFactory>().GetGrain<IConversationReaderGrain>(0).EraseAsync(ada.Id);
        Assert.Equal(head, await bob.HeadAsync(group));
        Assert.Equal(head + 1, await bob.SendAsync(group, "life goes on"));
    }

    [Fact]
    public async Task DisabledUser_SendsNothing()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        var group = await ada.CreateAsync("group", bob);
        await using var socket = await ada.ConnectAsync();
        Assert.True(await pulse.Services.SetUserDisabledAsync(ada.Id, disabled: true));

        using var refused = await ada.CallAsync(HttpMethod.Post, $"/conversations/{group}/messages", new { clientId = Guid.NewGuid(), text = "x" });
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => socket.SendAsync(group, "x"));
        Assert.Equal(1, await bob.HeadAsync(group));
        Assert.True(await pulse.Services.SetUserDisabledAsync(ada.Id, disabled: false));
    }
}
