using Microsoft.Playwright;
using Pulse.Web.Tests.Conversations;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>Pictures of the states of the chat, for people to look at, and axe on each of them.</summary>
[Collection(ChatPages.Name)]
public sealed class ChatPicturesTests(PagesApplication pulse)
{
    private const int Narrow = 360;

    // States with this ending are looked at in the dark scheme too.
    private const string Light = "-light";

    [Theory]
    [InlineData(1280, "light", false)]
    [InlineData(Narrow, "narrow", false)]
    [InlineData(1280, "rtl", true)]
    public async Task Chat_InEachState_PassesAxeAndFits(int width, string variant, bool isRtl)
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada Lovelace", width: width);
        if (isRtl) await ada.Page.AddInitScriptAsync("document.addEventListener('DOMContentLoaded', () => { document.documentElement.dir = 'rtl'; })");
        await LookAsync(ada, $"empty-{variant}", width);

        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace Hopper");
        await using var yusuf = await ChatPerson.ArriveAsync(pulse, "يوسف الخالدي");
        var group = await ada.StartGroupAsync("Analytical engine", grace, yusuf);
        await ada.StartGroupAsync(new string('W', 120), grace);
        var quiet = await grace.StartGroupAsync("Compilers", ada);
        await ChatHistory.WriteAsync(pulse, quiet, [(grace.Id, "Did you see the bug? It is a real moth.")]);
        await ChatHistory.WriteAsync(pulse, group, Conversation(ada.Id, grace.Id, yusuf.Id));

        if (isRtl) await ada.Page.ReloadAsync();
        await Expect(ada.Page.Locator(".entry")).ToHaveCountAsync(3);
        await LookAsync(ada, $"list-{variant}", width);

        await OpenAtTheEndAsync(ada, group);
        await ada.SeesAsync("Nothing is lost");
        await ada.SayAsync("Then let us begin");
        await ada.SeesAsync("Then let us begin");
        await ReactAsync(grace, group, "Then let us begin");
        await Expect(ada.Page.Locator(".reactions button")).ToHaveCountAsync(1);
        await grace.Field.PressSequentiallyAsync("I am");
        await Expect(ada.Page.Locator(".typing")).ToContainTextAsync("is typing");
        await LookAsync(ada, $"conversation-{variant}", width);

        await ada.Page.Locator(".message.theirs").Last.FocusAsync();
        await ada.Field.PressSequentiallyAsync("Thanks @gra");
        await Expect(ada.Page.GetByRole(AriaRole.Option)).ToHaveCountAsync(1);
        await LookAsync(ada, $"mention-{variant}", width);
        await ada.Field.FillAsync("");

        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Details", Exact = true }).ClickAsync();
        await Expect(ada.Page.Locator(".members li")).ToHaveCountAsync(3);
        await LookAsync(ada, $"details-{variant}", width);
        await ada.Page.Locator(".details").GetByRole(AriaRole.Button, new() { Name = "Close", Exact = true }).ClickAsync();

        if (width == Narrow) await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Back to the conversations" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "New conversation" }).First.ClickAsync();
        await ada.Page.GetByLabel("Group", new() { Exact = true }).CheckAsync();
        await ada.Page.GetByLabel("Find people").FillAsync("Grace");
        await Expect(ada.Page.Locator(".pick").First).ToBeVisibleAsync();
        await LookAsync(ada, $"new-{variant}", width);
    }

    [Fact]
    public async Task Chat_InGerman_HasNoEnglishText_PassesAxeAndFits()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada Lovelace", width: Narrow);
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace Hopper");
        var group = await ada.StartGroupAsync("Rechenmaschine", grace);
        await ChatHistory.WriteAsync(pulse, group, Enumerable.Range(1, 30).Select(at => (at % 4 == 0 ? ada.Id : grace.Id, $"Nummer {at}")));
        await ada.Page.Context.SetExtraHTTPHeadersAsync([new("Accept-Language", "de-AT,de;q=0.9,en;q=0.8")]);
        await ada.Page.ReloadAsync();
        await Expect(ada.Page.Locator("html")).ToHaveAttributeAsync("lang", "de");
        await Expect(ada.Page.Locator(".entry")).ToHaveCountAsync(1);
        await LookInGermanAsync("list");

        await ada.OpenAsync(group);
        await Expect(ada.Page.Locator(".new-line")).ToHaveTextAsync("Neue Nachrichten");
        await Expect(ada.Page.Locator(".day").First).ToHaveTextAsync("Heute");
        await LookInGermanAsync("conversation");

        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Details", Exact = true }).ClickAsync();
        await Expect(ada.Page.Locator(".members li")).ToHaveCountAsync(2);
        await LookInGermanAsync("details");
        await ada.Page.Locator(".details").GetByRole(AriaRole.Button, new() { Name = "Schließen", Exact = true }).ClickAsync();

        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Zurück zu den Unterhaltungen" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Neue Unterhaltung" }).First.ClickAsync();
        await ada.Page.GetByLabel("Kanal", new() { Exact = true }).CheckAsync();
        await LookInGermanAsync("new");

        async Task LookInGermanAsync(string name)
        {
            Assert.Empty((await EveryPageTests.TextsAsync(ada.Page)).Intersect(PageTextsTests.EnglishTexts.Concat(PageTextsTests.EnglishTextsOfTheChat)));
            await LookAsync(ada, $"{name}-german", Narrow);
        }
    }

    [Fact]
    public async Task RefusedMessage_ExplainsItself_AndCanBeDiscarded()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada Lovelace");
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace Hopper");
        var direct = await ada.StartAsync(new { kind = "direct", members = new[] { grace.Id }, clientId = Guid.NewGuid() });
        await ada.OpenAsync(direct);
        await ada.SayAsync("Hello, Grace");
        await ada.SeesAsync("Hello, Grace");
        using var blocking = ChatUser.Existing(pulse, grace.Id);
        await blocking.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{ada.Id}/block");

        await ada.SayAsync("Are you there?");

        var failed = ada.Page.Locator(".message.failed");
        await Expect(failed).ToContainTextAsync("Not sent. This person cannot be written to.");
        await LookAsync(ada, "failed-light", 1200);
        // A failed message waits for the user, beyond a reload too.
        await ada.Page.ReloadAsync();
        await Expect(failed).ToHaveCountAsync(1);
        await failed.GetByRole(AriaRole.Button, new() { Name = "Discard" }).ClickAsync();
        await Expect(failed).ToHaveCountAsync(0);
        await ada.SeesAsync("Hello, Grace");
    }

    private static IEnumerable<(Guid Sender, string Text)> Conversation(Guid ada, Guid grace, Guid yusuf) =>
    [
        .. Enumerable.Range(1, 12).Select(at => (at % 2 == 0 ? ada : grace, $"An earlier message, number {at}.")),
        (grace, "Good morning! The notes are at https://example.com/notes/engine_(1843)."),
        (grace, "Please read section G before noon 🙏"),
        (ada, "I am at it.\n\n1. Variables\n2. Operations\n3. Results"),
        (yusuf, "صباح الخير! قرأت الملاحظات كلها."),
        (yusuf, "🎉🎉"),
        (grace, "Wonderful. " + string.Concat(Enumerable.Repeat("A long message wraps where its words end, and stays readable. ", 5))),
        (ada, new string('x', 160)),
        (grace, "Nothing is lost, nothing is doubled."),
    ];

    /// <summary>Opens a conversation, which begins at its first unread message, and goes on to the newest one.</summary>
    private static async Task OpenAtTheEndAsync(ChatPerson person, Guid conversation)
    {
        await person.OpenAsync(conversation);
        await person.Page.Locator(".to-end").ClickAsync();
    }

    private static async Task ReactAsync(ChatPerson person, Guid conversation, string text)
    {
        await OpenAtTheEndAsync(person, conversation);
        var message = person.Page.Locator(".message").Filter(new() { HasText = text });
        await message.HoverAsync();
        await message.GetByRole(AriaRole.Button, new() { Name = "React with 👍" }).ClickAsync();
    }

    private static async Task LookAsync(ChatPerson person, string name, int width)
    {
        await Screenshots.TakeAsync(person.Page, $"chat-{name}");
        await EveryPageTests.AssertFineAsync(person.Visitor, width);
        if (!name.EndsWith(Light, StringComparison.Ordinal)) return;

        await person.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await Screenshots.TakeAsync(person.Page, $"chat-{name[..^Light.Length]}-dark");
        await EveryPageTests.AssertNoFindingAsync(person.Page);
        await person.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
    }
}
