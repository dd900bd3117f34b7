using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>The chat page when something fails, is slow, or comes at an unusual moment.</summary>
[Collection(AllPages.Name)]
public sealed class ChatFaultsTests(PagesApplication pulse)
{
    private static readonly string s_long = string.Concat(Enumerable.Repeat("Words of some length. ", 20));

    [Theory]
    [InlineData(30, "")]
    [InlineData(90, "")]
    [InlineData(30, "/4")]
    public async Task OpenedConversation_MarksOnlyTheMessagesInView(int messages, string place)
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace");
        var group = await ada.StartGroupAsync("Unread", grace);
        await ChatHistory.WriteAsync(pulse, group, Enumerable.Range(1, messages).Select(at => (grace.Id, $"Message {at}. {s_long}")));

        await ada.Page.GotoAsync($"/chat#{group:D}{place}");
        await Expect(ada.Bubbles.Filter(new() { HasText = "Message 2." })).ToBeInViewportAsync();

        // The marker is somewhere behind the first message when the page has reported its first view.
        var item = await ItemAsync(ada, group, item => item.GetProperty("you").GetProperty("read").GetInt64() > 2);
        Assert.InRange(item.GetProperty("you").GetProperty("unread").GetInt32(), messages - 15, messages - 1);
        await Expect(ada.Page.Locator(".entry .badge")).ToBeVisibleAsync();
        await Expect(ada.Page.Locator(".to-end .badge")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task FailedLoad_IsNoEmptyConversation_AndCanBeRepeated()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var group = await ada.StartGroupAsync("Loads");
        await ChatHistory.WriteAsync(pulse, group, Enumerable.Range(1, 80).Select(at => (ada.Id, $"Message {at}.")));
        await ada.Page.RouteAsync("**/messages?*", route => route.FulfillAsync(new() { Status = 503 }));
        await ada.OpenAsync(group);

        await Expect(ada.Page.Locator(".trouble")).ToContainTextAsync("The server is not available.");
        await Expect(ada.Page.Locator(".begin")).ToHaveCountAsync(0);
        await ada.SayAsync("Written meanwhile");
        await Expect(ada.Bubbles.Filter(new() { HasText = "Written meanwhile" })).ToBeVisibleAsync();
        await Expect(ada.Page.Locator(".begin")).ToHaveCountAsync(0);

        // The first page loads again, an older one does not.
        await ada.Page.UnrouteAsync("**/messages?*");
        await ada.Page.RouteAsync("**/messages?before=*", route => route.FulfillAsync(new() { Status = 503 }));
        // The client may load it by itself before the button is pressed.
        await Eventually.AsyncTrue("the newest message is shown", async () =>
        {
            await ada.Page.EvaluateAsync("document.querySelector('.trouble button')?.click()");
            return await ada.Bubbles.Filter(new() { HasText = "Message 80." }).IsVisibleAsync();
        });
        await Expect(ada.Page.Locator(".trouble")).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        await ada.Page.EvaluateAsync("document.querySelector('.timeline').scrollTop = 0");
        await Expect(ada.Page.Locator(".loading-row")).ToContainTextAsync("The server is not available.");
        await ada.Page.UnrouteAsync("**/messages?before=*");
        await Eventually.AsyncTrue("the older messages are shown", async () =>
        {
            await ada.Page.EvaluateAsync("document.querySelector('.loading-row button')?.click()");
            return await ada.Page.Locator(".loading-row").CountAsync() == 0;
        });
    }

    [Fact]
    public async Task Offline_EditsAndMessagesStayVisible_AndAreStoredLater()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var network = await Network.OfAsync(ada.Page);
        var group = await ada.StartGroupAsync("Offline");
        await ChatHistory.WriteAsync(pulse, group, Enumerable.Range(1, 150).Select(at => (ada.Id, $"Message {at}.")));
        await ada.Page.ReloadAsync();
        await ada.OpenAsync(group);
        await ada.SayAsync("First");
        await ada.SeesAsync("First");
        var note = ada.Page.Locator(".composer .count");

        // An edit stays in the composer. A reload brings it back.
        await network.CutAsync();
        await Expect(ada.Page.Locator(".banner")).ToBeVisibleAsync();
        await ada.Field.PressAsync("ArrowUp");
        await ada.Field.FillAsync("Second words");
        await ada.Field.PressAsync("Enter");
        await Expect(note).ToContainTextAsync("Waiting for the connection");
        await Expect(ada.Field).ToHaveValueAsync("Second words");
        await ada.Field.PressAsync("Escape");
        await Expect(note).ToHaveCountAsync(0);
        network.Restore();
        await ada.Page.ReloadAsync();
        await Expect(ada.Page.Locator(".purpose")).ToContainTextAsync("Editing your message");
        await Expect(ada.Field).ToHaveValueAsync("Second words");

        // One that waits is stored when the connection is back, also after the user has gone elsewhere.
        await network.CutAsync();
        await Expect(ada.Page.Locator(".banner")).ToBeVisibleAsync();
        await ada.Field.PressAsync("Enter");
        await Expect(note).ToContainTextAsync("Waiting for the connection");
        await ada.Page.EvaluateAsync("location.hash = ''");
        await Expect(ada.Field).ToHaveCountAsync(0);
        network.Restore();
        await ada.OpenAsync(group);
        await ada.SeesAsync("Second words");
        await Expect(ada.Page.Locator(".purpose")).ToHaveCountAsync(0);

        // A message that is written far from the end is shown at once, and at the end when the connection is back.
        await ada.Page.GotoAsync($"/chat#{group:D}/5");
        await Expect(ada.Bubbles.Filter(new() { HasTextRegex = new(@"Message [345]\.") }).First).ToBeInViewportAsync();
        await network.CutAsync();
        await Expect(ada.Page.Locator(".banner")).ToBeVisibleAsync();
        await ada.Page.EvaluateAsync(
            """
            window.toasts = 0;
            new MutationObserver(changes => {
              for (const { addedNodes } of changes) for (const node of addedNodes) if (node.matches?.('.toast')) window.toasts++;
            }).observe(document.body, { childList: true, subtree: true });
            """);
        await ada.SayAsync("From an older place");
        await Expect(ada.Page.Locator(".message.pending")).ToBeInViewportAsync();
        network.Restore();
        await ada.SeesAsync("From an older place");
        Assert.Equal(0, await ada.Page.EvaluateAsync<int>("window.toasts"));
        await Expect(ada.Bubbles.Filter(new() { HasText = "From an older place" })).ToBeInViewportAsync();
        await Expect(ada.Bubbles.Filter(new() { HasText = "Message 150." })).ToHaveCountAsync(1);
        await Expect(ada.Page.Locator(".to-end")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task UnsentMessages_OfAClosedTab_AreSentOnceAndInOrder_ByTheNextOne()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var network = await Network.OfAsync(ada.Page);
        var group = await ada.StartGroupAsync("Closed");
        await ada.Page.ReloadAsync();
        await ada.OpenAsync(group);
        await network.CutAsync();
        await Expect(ada.Page.Locator(".banner")).ToBeVisibleAsync();
        string[] texts = ["First unsent", "Second unsent", "Third unsent"];
        foreach (var text in texts) await ada.SayAsync(text);
        await Expect(ada.Page.Locator(".message.pending")).ToHaveCountAsync(texts.Length);

        // Only the browser's database has them now: each tab has a sessionStorage of its own. The new tab has a network.
        var context = ada.Page.Context;
        await ada.Page.CloseAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync($"/chat#{group:D}");
        foreach (var text in texts) await Expect(page.Locator(".message.stored .bubble").Filter(new() { HasText = text })).ToHaveCountAsync(1);
        await Expect(page.Locator(".message.pending")).ToHaveCountAsync(0);
        await page.ReloadAsync();
        await Expect(page.Locator(".message.stored")).ToHaveCountAsync(texts.Length);
        Assert.Equal(texts, await page.Locator(".message .text").AllInnerTextsAsync());
    }

    [Fact]
    public async Task View_StaysInItsPlace_BehindTheDetailsOfANarrowWindow_AndAboveALongDraft()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada", width: 360);
        var group = await ada.StartGroupAsync("Narrow");
        await ChatHistory.WriteAsync(pulse, group, Enumerable.Range(1, 100).Select(at => (ada.Id, $"Message {at}.")));
        await ada.OpenAsync(group);
        await Expect(ada.Bubbles.Filter(new() { HasText = "Message 100." })).ToBeInViewportAsync();

        await ada.Field.FillAsync("1\n2\n3\n4\n5");
        await ada.Field.PressSequentiallyAsync("6");
        await SettledAsync();
        await Expect(ada.Page.Locator(".to-end")).ToHaveCountAsync(0);
        await Expect(ada.Bubbles.Filter(new() { HasText = "Message 100." })).ToBeInViewportAsync(new() { Ratio = 1 });
        await ada.Field.FillAsync("");

        await ada.Page.EvaluateAsync("(() => { const view = document.querySelector('.timeline'); view.scrollTop = view.scrollHeight * 0.6; })()");
        await SettledAsync();
        var before = await PlaceAsync();
        await ada.Page.Locator("[data-act=details]").ClickAsync();
        await Expect(ada.Page.Locator(".timeline")).ToBeHiddenAsync();
        await SettledAsync();
        await ada.Page.Locator(".details").GetByRole(AriaRole.Button, new() { Name = "Close", Exact = true }).ClickAsync();
        await Expect(ada.Page.Locator(".timeline")).ToBeVisibleAsync();
        await SettledAsync();

        Assert.Equal(before, await PlaceAsync());
        await Expect(ada.Page.Locator(".to-end")).ToHaveCountAsync(1);

        Task SettledAsync() => ada.Page.EvaluateAsync("async () => { for (let i = 0; i < 8; i++) await new Promise(done => requestAnimationFrame(done)); }");

        // The first message in view, and where it is, in steps of 4 pixels.
        Task<string> PlaceAsync() => ada.Page.EvaluateAsync<string>(
            """
            () => {
              const view = document.querySelector('.timeline');
              const top = view.getBoundingClientRect().top;
              const row = [...view.querySelectorAll('.message')].find(element => element.getBoundingClientRect().top > top);
              return `${row.querySelector('.text').textContent} ${Math.round((row.getBoundingClientRect().top - top) / 4)}`;
            }
            """);
    }

    // Safari ends the composing before the keydown of the Enter that confirms the word, and gives it the code of input methods.
    [Fact]
    public async Task EnterOfAnInputMethod_SendsNothing()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await ada.OpenAsync(await ada.StartGroupAsync("Input methods"));
        await ada.Field.FillAsync("Confirmed");
        await ada.Field.EvaluateAsync("field => field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }))");
        await ada.Field.PressSequentiallyAsync(" word");
        await ada.Field.PressAsync("Enter");

        await ada.SeesAsync("Confirmed word");
    }

    [Fact]
    public async Task UnfinishedEdit_ItsMentions_AndTheTargetOfAnAnswer_SurviveTheVisitOfAnotherConversation()
    {
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace");
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var (group, other) = (await ada.StartGroupAsync("First", grace), await ada.StartGroupAsync("Second"));
        await ada.OpenAsync(group);
        await ada.SayAsync("One");
        await ada.SeesAsync("One");
        var purpose = ada.Page.Locator(".purpose");

        async Task VisitTheOtherAsync()
        {
            await ada.OpenAsync(other);
            await Expect(ada.Page.Locator(".talk-title h2")).ToHaveTextAsync("Second");
            await Expect(ada.Field).ToHaveValueAsync("");
            await Expect(purpose).ToHaveCountAsync(0);
            await ada.OpenAsync(group);
            await Expect(ada.Page.Locator(".talk-title h2")).ToHaveTextAsync("First");
        }

        // An answer with a chosen mention.
        await ada.Page.Locator(".message").HoverAsync();
        await ada.Page.Locator("[data-act=reply]").ClickAsync();
        await ada.Field.PressSequentiallyAsync("Look, @gra");
        await Expect(ada.Page.GetByRole(AriaRole.Option)).ToHaveCountAsync(1);
        await ada.Field.PressAsync("Enter");
        await VisitTheOtherAsync();
        await ada.Page.ReloadAsync();
        await Expect(purpose).ToContainTextAsync("One");
        await Expect(ada.Field).ToHaveValueAsync("Look, @Grace ");
        await ada.Field.PressAsync("Enter");
        await ada.SeesAsync("Look, @Grace");
        await Expect(ada.Page.Locator(".mention")).ToHaveTextAsync("@Grace");
        await Expect(ada.Page.Locator(".quote")).ToContainTextAsync("One");

        // An edit, while another device edits the same message.
        await ada.Field.PressAsync("ArrowUp");
        await ada.Field.FillAsync("Mine");
        await VisitTheOtherAsync();
        await Expect(purpose).ToContainTextAsync("Editing your message");
        await Expect(ada.Field).ToHaveValueAsync("Mine");
        var seq = (await ItemAsync(ada, group, _ => true)).GetProperty("head").GetInt64();
        var answer = await ada.Page.APIRequest.PatchAsync($"/conversations/{group:D}/messages/{seq}", new() { DataObject = new { text = "Theirs" }, Headers = Origin(ada) });
        Assert.True(answer.Ok, await answer.TextAsync());
        await ada.SeesAsync("Theirs");
        // The toast goes after seconds, so the wait for it begins before its cause.
        var refusal = Expect(ada.Page.Locator(".toast")).ToContainTextAsync("edited elsewhere", new() { Timeout = 60_000 });
        await ada.Field.PressAsync("Enter");
        await refusal;
        await Expect(ada.Field).ToHaveValueAsync("Mine");
        await ada.Field.PressAsync("Enter");
        await ada.SeesAsync("Mine");
    }

    [Fact]
    public async Task BlockedPersonsWords_AreHidden_InTheListTheQuotesAndTheAnnouncements()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace");
        await using var alan = await ChatPerson.ArriveAsync(pulse, "Alan");
        var direct = await ada.StartAsync(new { kind = "direct", members = new[] { grace.Id }, clientId = Guid.NewGuid() });
        var group = await ada.StartGroupAsync("Blocked", grace, alan);
        await ada.OpenAsync(direct);
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Details" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Block Grace" }).ClickAsync();
        await ada.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Block Grace" }).ClickAsync();
        await Expect(ada.Page.GetByRole(AriaRole.Button, new() { Name = "Unblock Grace" })).ToBeVisibleAsync();
        await ada.OpenAsync(group);
        // The first message of an empty conversation is announced, this one's words are not.
        await Expect(ada.Page.Locator(".begin")).ToBeVisibleAsync();
        await ChatHistory.WriteAsync(pulse, group, [(grace.Id, "Unwanted words")]);
        await Expect(ada.Bubbles).ToContainTextAsync(["Message from a user that you blocked"]);
        await Expect(ada.Page.Locator(".entry", new() { HasText = "Blocked" })).ToContainTextAsync("Message from a user that you blocked");
        var seq = (await ItemAsync(ada, group, _ => true)).GetProperty("head").GetInt64();
        var answer = await alan.Page.APIRequest.PostAsync($"/conversations/{group:D}/messages", new()
        {
            DataObject = new { clientId = Guid.NewGuid(), text = "I disagree", replyTo = seq },
            Headers = Origin(alan),
        });
        Assert.Equal(201, answer.Status);

        await ada.SeesAsync("I disagree");
        await Expect(ada.Page.Locator(".quote")).ToContainTextAsync("Message from a user that you blocked");
        await Expect(ada.Page.Locator("#chat-live p")).ToHaveTextAsync(["Alan: I disagree"]);
        Assert.DoesNotContain("Unwanted", await ada.Page.Locator("body").TextContentAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FirstMessageOfAnEmptyConversation_IsAnnounced_AndTheCounterSpeaksSeldom()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace");
        var group = await ada.StartGroupAsync("Announced", grace);
        await ada.OpenAsync(group);
        await Expect(ada.Page.Locator(".begin")).ToBeVisibleAsync();
        await ChatHistory.WriteAsync(pulse, group, [(grace.Id, "The first")]);
        await Expect(ada.Page.Locator("#chat-live p")).ToHaveTextAsync(["Grace: The first"]);

        var spoken = ada.Page.Locator(".composer [role=status]");
        await ada.Field.FillAsync(new string('a', 7_600));
        await Expect(spoken).ToHaveTextAsync("400 characters left");
        await ada.Field.PressSequentiallyAsync("abc");
        await Expect(ada.Page.Locator(".composer .count")).ToHaveTextAsync("397 characters left");
        await Expect(spoken).ToHaveTextAsync("400 characters left");
        await ada.Field.FillAsync(new string('a', 8_001));
        await Expect(spoken).ToHaveTextAsync("1 character too long");
    }

    [Fact]
    public async Task NewGroup_EnterInTheFieldForPeople_ChoosesThePersonOnly()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await using var grace = await ChatPerson.ArriveAsync(pulse, $"Grace {Guid.NewGuid():N}");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "New conversation" }).First.ClickAsync();
        await ada.Page.Locator("dialog input[value=channel]").CheckAsync();
        await ada.Page.GetByLabel("Name of the channel").FillAsync("Not yet");
        await ada.Page.GetByLabel("Find people").FillAsync(grace.Name);
        await Expect(ada.Page.Locator(".pick")).ToHaveCountAsync(1, new() { Timeout = 20_000 });
        await ada.Page.GetByLabel("Find people").PressAsync("Enter");

        await Expect(ada.Page.Locator(".chips")).ToContainTextAsync(grace.Name);
        await Expect(ada.Page.Locator("dialog")).ToBeVisibleAsync();

        // A press beside the dialog, or on its own scroll bar, must not cost the choices.
        await ada.Page.Mouse.ClickAsync(5, 5);
        await Expect(ada.Page.Locator("dialog")).ToBeVisibleAsync();
        Assert.Equal("hidden auto", await ada.Page.EvaluateAsync<string>(
            "getComputedStyle(document.querySelector('dialog')).overflowY + ' ' + getComputedStyle(document.querySelector('.dialog-box')).overflowY"));
        Assert.Equal(0, await ada.Page.Locator(".entry").CountAsync());
    }

    [Fact]
    public async Task AddressWithThousandsOfBrackets_CostsLittle()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var group = await ada.StartGroupAsync("Brackets");
        await ChatHistory.WriteAsync(pulse, group, [(ada.Id, $"http://a{new string(')', 7_990)}")]);
        await ada.Page.AddInitScriptAsync(
            """
            window.parts = 0;
            for (const name of ['split', 'slice']) {
              const native = String.prototype[name];
              String.prototype[name] = function (...args) {
                const result = native.apply(this, args);
                window.parts += result.length;
                return result;
              };
            }
            """);
        await ada.Page.ReloadAsync();
        await ada.OpenAsync(group);
        await Expect(ada.Page.Locator(".message .text a")).ToHaveTextAsync("http://a");

        Assert.InRange(await ada.Page.EvaluateAsync<double>("window.parts"), 1, 2_000_000);
    }

    [Fact]
    public async Task Focus_IsNeverLost()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var group = await ada.StartGroupAsync("Focus");
        await ada.StartGroupAsync("Other");
        await ada.OpenAsync(group);
        await ada.SayAsync("A message");
        await ada.SeesAsync("A message");
        ILocator Button(string name) => ada.Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
        var article = ada.Page.Locator(".message");

        // A reaction from the picker, its removal, and a deletion leave the focus at the message.
        await article.HoverAsync();
        await Button("React").ClickAsync();
        await ada.Page.Locator(".emoji-grid button").First.ClickAsync();
        await Expect(article).ToBeFocusedAsync();
        await article.Locator(".reactions button").ClickAsync();
        await Expect(article.Locator(".reactions button")).ToHaveCountAsync(0);
        await Expect(article).ToBeFocusedAsync();

        // Details take the focus when they are opened, keep it out of other conversations, and return it.
        await Button("Details").ClickAsync();
        await Expect(ada.Page.Locator(".details-head h2")).ToBeFocusedAsync();
        await Button("Rename").ClickAsync();
        await Expect(ada.Page.GetByLabel("Name", new() { Exact = true })).ToBeFocusedAsync();
        await ada.Page.Keyboard.TypeAsync("Focus group");
        await ada.Page.Keyboard.PressAsync("Enter");
        await Expect(Button("Rename")).ToBeFocusedAsync();
        await Expect(ada.Page.Locator(".talk-title h2")).ToHaveTextAsync("Focus group");
        await ada.Page.Locator(".entry", new() { HasText = "Other" }).ClickAsync();
        await Expect(ada.Page.Locator(".talk-title h2")).ToHaveTextAsync("Other");
        await Expect(ada.Field).ToBeFocusedAsync();
        await ada.Page.Locator(".details-head button").ClickAsync();
        await Expect(Button("Details")).ToBeFocusedAsync();

        await ada.OpenAsync(group);
        await article.HoverAsync();
        await Button("Delete").ClickAsync();
        await ada.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(article).ToContainTextAsync("This message was deleted.");
        await Expect(article).ToBeFocusedAsync();

        // In a narrow window, the way back leads to the entry.
        await ada.Page.SetViewportSizeAsync(500, 800);
        await Button("Back to the conversations").ClickAsync();
        await Expect(ada.Page.Locator($".entry[href='#{group:D}']")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task MembersAndHits_BeyondTheFirst_CanBeReached()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var word = $"w{Guid.NewGuid():N}";
        var group = await ada.StartGroupAsync("Many");
        await ChatHistory.WriteAsync(pulse, group, [(ada.Id, $"The {word}"), .. Enumerable.Range(1, 60).Select(at => (ada.Id, $"Message {at}. {s_long}"))]);
        await ada.Page.RouteAsync($"**/conversations/{group:D}/members*", route => route.FulfillAsync(new() { Status = 503 }));
        await ada.OpenAsync(group);
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Details" }).ClickAsync();
        await Expect(ada.Page.Locator(".details")).ToContainTextAsync("The members could not be loaded.");
        await ada.Page.UnrouteAsync($"**/conversations/{group:D}/members*");
        var people = Enumerable.Range(1, 150).Select(at => new { userId = Guid.NewGuid(), name = $"Person {at}", avatar = (string?)null, role = "member", read = (long?)null });
        await ada.Page.RouteAsync($"**/conversations/{group:D}/members*", route =>
            route.FulfillAsync(new() { ContentType = "application/json", Body = JsonSerializer.Serialize(new { items = people, after = (string?)null }) }));
        await ada.Page.Locator(".details").GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(ada.Page.Locator(".members li")).ToHaveCountAsync(100);
        await ada.Page.Locator(".details").GetByRole(AriaRole.Button, new() { Name = "Show more" }).ClickAsync();
        await Expect(ada.Page.Locator(".members li")).ToHaveCountAsync(150);

        // The same hit leads to its message each time.
        await ada.Page.Locator("#chat-search").FillAsync(word);
        var hit = ada.Page.Locator(".hit");
        await Expect(hit).ToHaveCountAsync(1, new() { Timeout = 20_000 });
        await Expect(hit).ToContainTextAsync("Many");
        await hit.ClickAsync();
        var found = ada.Bubbles.Filter(new() { HasText = $"The {word}" });
        await Expect(found).ToBeInViewportAsync();
        await ada.Page.Locator(".to-end").ClickAsync();
        await Expect(ada.Bubbles.Filter(new() { HasText = "Message 60." })).ToBeInViewportAsync();
        await hit.ClickAsync();
        await Expect(found).ToBeInViewportAsync();
    }

    [Fact]
    public async Task SearchUnderWay_IsNotRestarted_ByMessagesWhereTheFormerSearchHasHits()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var (former, wanted) = ($"f{Guid.NewGuid():N}", $"w{Guid.NewGuid():N}");
        // The name has both words, so that the list of found conversations shows its newest message.
        var group = await ada.StartGroupAsync($"Busy {former} {wanted}");
        await ChatHistory.WriteAsync(pulse, group, [(ada.Id, $"Former {former}"), (ada.Id, $"Wanted {wanted}"), (ada.Id, "Third")]);
        var (requests, answer) = (0, new TaskCompletionSource());
        await ada.Page.RouteAsync($"**/search?q={wanted}*", async route =>
        {
            Interlocked.Increment(ref requests);
            await answer.Task;
            await route.ContinueAsync();
        });
        await ada.Page.Locator("#chat-search").FillAsync(former);
        var hit = ada.Page.Locator(".hit");
        await Expect(hit).ToContainTextAsync($"Former {former}");

        await ada.Page.Locator("#chat-search").FillAsync(wanted);
        await Eventually.AsyncTrue("the search is under way", () => Task.FromResult(Volatile.Read(ref requests) == 1));
        await ChatHistory.WriteAsync(pulse, group, [(ada.Id, "Meanwhile")]);
        await Expect(ada.Page.Locator(".found .entry")).ToContainTextAsync("Meanwhile");
        answer.SetResult();

        await Expect(hit).ToContainTextAsync($"Wanted {wanted}");
        Assert.Equal(1, requests);
    }

    [Fact]
    public async Task DataThatABrowserFailsToDelete_IsDeletedByTheNextPage()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await ada.OpenAsync(await ada.StartGroupAsync("Private"));
        await Eventually.AsyncTrue("the page has stored the inbox", async () => (await ada.Visitor.ChatKeysAsync()).Any(key => key.EndsWith(" inbox", StringComparison.Ordinal)));
        await ada.Page.AddInitScriptAsync(
            """
            window.failed = 0;
            const open = IDBFactory.prototype.open;
            IDBFactory.prototype.open = function (...names) {
              if (sessionStorage.getItem('storage works')) return open.apply(this, names);
              window.failed++;
              throw new DOMException('The disk fails.', 'UnknownError');
            };
            """);

        await ada.Page.GotoAsync("/dashboard");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();
        await ada.Visitor.ArriveAsync("/signin");
        await ada.Page.WaitForFunctionAsync("() => window.failed > 0");
        await ada.Page.EvaluateAsync("() => new Promise(done => setTimeout(done))");
        await ada.Page.EvaluateAsync("sessionStorage.setItem('storage works', 'yes')");
        Assert.NotEmpty(await ada.Visitor.ChatKeysAsync());

        await ada.Page.GotoAsync("/signin");
        await Eventually.AsyncTrue("the next page deletes the data", async () => (await ada.Visitor.ChatKeysAsync()).Length == 0);
        await ada.Page.WaitForFunctionAsync("() => !document.cookie.includes('pulse-forget')");
    }

    [Fact]
    public async Task NamesThatCouldNotBeRead_AreAskedForAgain_AndDeletedUsersHaveAName()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace");
        var group = await ada.StartGroupAsync("Names", grace);
        await ChatHistory.WriteAsync(pulse, group, [(grace.Id, "Hello")]);
        foreach (var list in new[] { "**/members*", "**/chat/people" }) await ada.Page.RouteAsync(list, route => route.FulfillAsync(new() { Status = 503 }));
        var status = 503;
        await ada.Page.RouteAsync($"**/users/{grace.Id:D}", route => status == 200 ? route.ContinueAsync() : route.FulfillAsync(new() { Status = status }));
        await ada.Page.ReloadAsync();
        await ada.IsReadyAsync();
        var entry = ada.Page.Locator(".entry");
        await Expect(entry).ToContainTextAsync("Someone: Hello");
        status = 200;
        await Expect(entry).ToContainTextAsync("Grace: Hello", new() { Timeout = 20_000 });

        status = 404;
        await ada.Page.ReloadAsync();
        await Expect(entry).ToContainTextAsync("Deleted user: Hello");
    }

    [Fact]
    public async Task Times_AgeWhileThePageIsOpen()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var group = await ada.StartGroupAsync("Times");
        await ChatHistory.WriteAsync(pulse, group, [(ada.Id, "Hello")]);
        await ada.Page.Clock.InstallAsync();
        await ada.Page.ReloadAsync();
        await ada.OpenAsync(group);
        await Expect(ada.Page.Locator(".day")).ToHaveTextAsync("Today");

        await ada.Page.Clock.FastForwardAsync("24:00:00");

        await Expect(ada.Page.Locator(".day")).ToHaveTextAsync("Yesterday");
        await Expect(ada.Page.Locator(".entry-time")).Not.ToContainTextAsync(":");
    }

    [Fact]
    public async Task WithoutScript_ThePageDoesNotSayThatItLoads()
    {
        await using var visitor = await pulse.VisitAsync(script: false);
        await visitor.SignInAsync("No Script");
        await visitor.Page.GotoAsync("/chat");

        await Expect(visitor.Page.Locator("noscript p")).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByText("Loading your conversations")).ToBeHiddenAsync();
    }

    private static Dictionary<string, string> Origin(ChatPerson person) => new() { ["Origin"] = new Uri(person.Page.Url).GetLeftPart(UriPartial.Authority) };

    /// <summary>Waits until the conversation is as wanted, as the server shows it to that person.</summary>
    private static async Task<JsonElement> ItemAsync(ChatPerson person, Guid conversation, Func<JsonElement, bool> isWanted)
    {
        JsonElement item = default;
        await Eventually.AsyncTrue("the conversation has changed", async () =>
        {
            item = (await (await person.Page.APIRequest.GetAsync($"/conversations/{conversation:D}")).JsonAsync())!.Value;
            return isWanted(item);
        });
        return item;
    }
}
