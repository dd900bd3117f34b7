using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Pulse.Conversations;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>A person with the chat open in a browser.</summary>
public sealed class ChatPerson : IAsyncDisposable
{
    private ChatPerson(Visitor visitor, Guid id, string name) => (Visitor, Id, Name) = (visitor, id, name);

    public Visitor Visitor { get; }

    public IPage Page => Visitor.Page;

    public Guid Id { get; }

    public string Name { get; }

    /// <summary>The field for a message.</summary>
    public ILocator Field => Page.Locator(".composer textarea");

    public ILocator Bubbles => Page.Locator(".message .bubble");

    /// <summary>Signs in as a new user of that name and opens the chat.</summary>
    public static async Task<ChatPerson> ArriveAsync(PagesApplication pulse, string name, ColorScheme scheme = ColorScheme.Light, int width = 1200, Uri? address = null)
    {
        var visitor = await pulse.VisitAsync(scheme, width, address: address);
        await visitor.SignInAsync(name);
        await visitor.Page.GotoAsync("/chat");
        var person = new ChatPerson(visitor, Guid.Empty, name);
        await person.IsReadyAsync();
        var me = await (await visitor.Page.APIRequest.GetAsync("/auth/me")).JsonAsync();
        return new(visitor, Guid.Parse(me!.Value.GetProperty("id").GetString()!), name);
    }

    /// <summary>Waits for the script to have taken the place of the frame, and for the first page of the inbox.</summary>
    public async Task IsReadyAsync()
    {
        await Expect(Page.Locator(".side-head h2")).ToBeVisibleAsync();
        await Expect(Page.Locator(".side .bone")).ToHaveCountAsync(0);
    }

    /// <summary>Creates a group, as the page's script would.</summary>
    public Task<Guid> StartGroupAsync(string title, params ChatPerson[] others) =>
        StartAsync(new { kind = "group", title, members = others.Select(other => other.Id), clientId = Guid.NewGuid() });

    /// <summary>Creates a conversation with that body, which has a client id. Repeats the request while Pulse is unavailable.</summary>
    public async Task<Guid> StartAsync(object body)
    {
        var isRepeated = false;
        IAPIResponse? answer = null;
        await Eventually.AsyncTrue("Pulse is available", async () =>
        {
            isRepeated = answer is not null;
            answer = await Page.APIRequest.PostAsync("/conversations", new()
            {
                DataObject = body,
                Headers = new Dictionary<string, string> { ["Origin"] = new Uri(Page.Url).GetLeftPart(UriPartial.Authority) },
            });
            return answer.Status != 503;
        });
        // 200 if the outcome of the earlier request was unknown: it did create the conversation.
        Assert.True(answer!.Status == 201 || (isRepeated && answer.Status == 200), await answer.TextAsync());
        return Guid.Parse((await answer.JsonAsync())!.Value.GetProperty("id").GetString()!);
    }

    /// <summary>Opens a conversation by its address.</summary>
    public async Task OpenAsync(Guid conversation)
    {
        await Page.GotoAsync($"/chat#{conversation:D}");
        await Expect(Field).ToBeVisibleAsync();
    }

    /// <summary>Types a message and sends it with Enter.</summary>
    public async Task SayAsync(string text)
    {
        await Field.FillAsync(text);
        await Field.PressAsync("Enter");
        await Expect(Field).ToHaveValueAsync("");
    }

    /// <summary>Waits until the page shows exactly one message with that text, and that the server has it.</summary>
    public async Task SeesAsync(string text)
    {
        foreach (var bubbles in new[] { Bubbles, Page.Locator(".message.stored .bubble") })
            await Expect(bubbles.Filter(new() { HasText = text })).ToHaveCountAsync(1, new() { Timeout = 60_000 });
    }

    /// <summary>Texts of the messages in view, in their order.</summary>
    public async Task<string[]> TextsAsync() => [.. await Page.Locator(".message .text").AllInnerTextsAsync()];

    public ValueTask DisposeAsync() => Visitor.DisposeAsync();
}

/// <summary>Messages without a browser, for long conversations.</summary>
internal static class ChatHistory
{
    /// <summary>Stores messages in that order, as a fast typist.</summary>
    public static async Task WriteAsync(PagesApplication pulse, Guid conversation, IEnumerable<(Guid Sender, string Text)> messages)
    {
        var grain = pulse.Services.GetRequiredService<IGrainFactory>().GetGrain<IConversationGrain>(conversation);
        foreach (var (sender, text) in messages)
        {
            var answer = await grain.ApplyAsync(new() { Kind = EntryKinds.Message, SenderId = sender, ClientId = Guid.NewGuid(), Text = text });
            Assert.Equal(default, answer.Error);
        }
    }
}
