using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;
using Pulse.Grains.Tests;

namespace Pulse.Web.Tests.Pages;

/// <summary>The chat page in real browsers.</summary>
[Collection(ChatPages.Name)]
public sealed class ChatPageTests(PagesApplication pulse)
{
    [Fact]
    public async Task TwoPeople_InTwoBrowsers_Talk()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, $"Ada {Guid.NewGuid():N}");
        await using var grace = await ChatPerson.ArriveAsync(pulse, $"Grace {Guid.NewGuid():N}");

        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "New conversation" }).First.ClickAsync();
        await ada.Page.GetByLabel("Find people").FillAsync(grace.Name);
        await ada.Page.Locator(".pick").ClickAsync();
        await ada.SayAsync("Hello, Grace");
        await ada.SeesAsync("Hello, Grace");

        var entry = grace.Page.Locator(".entry", new() { HasText = ada.Name });
        await Expect(entry).ToContainTextAsync("Hello, Grace");
        await Expect(entry.Locator(".badge")).ToContainTextAsync("1");
        await Expect(entry.Locator(".seat")).ToHaveAttributeAsync("data-state", "online");
        await entry.ClickAsync();
        await grace.SeesAsync("Hello, Grace");
        await Expect(grace.Page.Locator(".new-line")).ToHaveCountAsync(1);
        await Expect(entry.Locator(".badge")).ToHaveCountAsync(0);
        // Grace's page has shown the message, so that her marker moves and Ada's page says so.
        await Expect(ada.Page.Locator(".message .icon-checks")).ToHaveCountAsync(1);

        await grace.Field.PressSequentiallyAsync("Hello, Ada");
        await Expect(ada.Page.Locator(".typing")).ToContainTextAsync("is typing");
        await grace.Field.PressAsync("Enter");
        await ada.SeesAsync("Hello, Ada");
        await Expect(ada.Page.Locator("#chat-live p")).ToHaveTextAsync([$"{grace.Name}: Hello, Ada"]);

        // An edit, a reaction and a deletion arrive live. The key edits the last stored message.
        await grace.SeesAsync("Hello, Ada");
        await grace.Field.PressAsync("ArrowUp");
        await grace.Field.FillAsync("Hello, dear Ada");
        await grace.Field.PressAsync("Enter");
        await ada.SeesAsync("Hello, dear Ada");
        await Expect(ada.Page.Locator(".message.theirs .stamp")).ToContainTextAsync("edited");
        await ada.Page.Locator(".message.theirs").HoverAsync();
        await ada.Page.Locator(".message.theirs").GetByRole(AriaRole.Button, new() { Name = "React with 👍" }).ClickAsync();
        await Expect(grace.Page.Locator(".message.own .reactions button")).ToContainTextAsync("1");
        await grace.Page.Locator(".message.own").HoverAsync();
        await grace.Page.Locator(".message.own").GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await grace.Page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(ada.Page.Locator(".message.theirs")).ToContainTextAsync("This message was deleted.");
        Assert.Empty(ada.Visitor.Complaints);
        Assert.Empty(grace.Visitor.Complaints);
    }

    [Fact]
    public async Task KeyboardAlone_OpensAConversation_Sends_Replies_AndReturnsToTheField()
    {
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace");
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var group = await ada.StartGroupAsync("Keyboards", grace);
        await ChatHistory.WriteAsync(pulse, group, [(grace.Id, "Press keys")]);
        await Expect(ada.Page.Locator(".entry")).ToHaveCountAsync(1);

        var keys = ada.Page.Keyboard;
        await keys.PressAsync("Control+k");
        await Expect(ada.Page.Locator("#chat-search")).ToBeFocusedAsync();
        await keys.PressAsync("Alt+ArrowDown");
        await Expect(ada.Field).ToBeFocusedAsync();
        await keys.TypeAsync("One line");
        await keys.PressAsync("Shift+Enter");
        await keys.TypeAsync("and another, @gra");
        await Expect(ada.Page.GetByRole(AriaRole.Option)).ToHaveCountAsync(1);
        await keys.PressAsync("Enter");
        await keys.PressAsync("Enter");
        await ada.SeesAsync("One line");
        await Expect(ada.Page.Locator(".message.own .text")).ToHaveTextAsync("One line\nand another, @Grace", new() { UseInnerText = true });
        await Expect(ada.Page.Locator(".message.own .mention")).ToHaveTextAsync("@Grace");

        await keys.PressAsync("Shift+Tab");
        await Expect(ada.Page.Locator(".message.own")).ToBeFocusedAsync();
        await keys.PressAsync("ArrowUp");
        await Expect(ada.Page.Locator(".message.theirs")).ToBeFocusedAsync();
        await keys.PressAsync("r");
        await Expect(ada.Field).ToBeFocusedAsync();
        await Expect(ada.Page.Locator(".purpose")).ToContainTextAsync("Replying to Grace");
        await keys.TypeAsync("I do");
        await keys.PressAsync("Enter");
        await ada.SeesAsync("I do");
        await Expect(ada.Page.Locator(".quote")).ToContainTextAsync("Press keys");
    }

    [Fact]
    public async Task HostileText_StaysText_AndLinksAreOfTheWebOnly()
    {
        const string Script = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";
        await using var ada = await ChatPerson.ArriveAsync(pulse, "<b>Ada</b>");
        var group = await ada.StartGroupAsync("<i>Tests</i>");
        await ada.OpenAsync(group);
        string[] texts =
        [
            Script,
            "\u202Eevil right to left \u202D https://example.com/\u202Egnp.exe",
            new string('W', 600),
            "javascript:alert(1) data:text/html,<script>1</script> https://user:secret@example.com/ ftp://example.com/",
            "See https://example.com/a_(b), then http://example.com/?q=\"x\"&y=<z>.",
        ];
        foreach (var text in texts) await ada.SayAsync(text);
        foreach (var text in texts) await Expect(ada.Page.Locator(".message.stored .text").Filter(new() { HasText = text[..15] })).ToHaveCountAsync(1);

        Assert.Equal(texts, await ada.Page.Locator(".message .text").AllTextContentsAsync());
        Assert.False(await ada.Page.EvaluateAsync<bool>("'hacked' in window"));
        Assert.Equal(
            ["https://example.com/", "https://example.com/a_(b)", "http://example.com/?q="],
            await ada.Page.Locator(".message a").EvaluateAllAsync<string[]>("links => links.map(link => link.getAttribute('href'))"));
        foreach (var link in await ada.Page.Locator(".message a").AllAsync())
        {
            await Expect(link).ToHaveAttributeAsync("rel", "noopener noreferrer nofollow");
            await Expect(link).ToHaveAttributeAsync("target", "_blank");
        }

        await Expect(ada.Page.Locator(".talk-title h2")).ToHaveTextAsync("<i>Tests</i>");
        Assert.True(await ada.Page.EvaluateAsync<bool>("document.querySelector('.timeline').scrollWidth <= document.querySelector('.timeline').clientWidth"));
        Assert.Empty(ada.Visitor.Complaints);
    }

    [Fact]
    public async Task ScrollingBack_ThroughALongConversation_NeverJumps_AndRendersOnlyAWindow()
    {
        const int Messages = 300;
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace");
        var group = await ada.StartGroupAsync("Long", grace);
        await ChatHistory.WriteAsync(pulse, group, Enumerable.Range(1, Messages).Select(at => (
            at % 3 == 0 ? ada.Id : grace.Id, $"Message {at}. {string.Concat(Enumerable.Repeat("Words of some length. ", at * 7 % 23))}")));
        await ada.OpenAsync(group);
        // A conversation begins at the first unread message, and stays there.
        await Expect(ada.Page.Locator(".new-line")).ToBeInViewportAsync();
        await Expect(ada.Bubbles.Filter(new() { HasText = "Message 1." })).ToBeInViewportAsync();
        await Expect(ada.Page.Locator(".entry .badge")).ToBeVisibleAsync();
        await ada.Page.Locator(".to-end").ClickAsync();
        await Expect(ada.Bubbles.Filter(new() { HasText = $"Message {Messages}." })).ToBeInViewportAsync();

        // Moves up by a fixed distance, and reads where a visible message is after each frame until the page is quiet: it must have moved by
        // that distance exactly, also when older messages were put in front of it.
        const string Scroll =
            """
            async (distance) => {
              const view = document.querySelector('.timeline');
              const top = view.getBoundingClientRect().top;
              const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
              const row = [...view.querySelectorAll('.message')].find(element => element.getBoundingClientRect().top > top + 5);
              const key = row.dataset.key;
              const at = () => view.querySelector(`[data-key="${CSS.escape(key)}"].message`)?.getBoundingClientRect().top;
              const before = at();
              const moved = Math.min(distance, view.scrollTop);
              view.scrollTop -= moved;
              let worst = 0;
              for (let i = 0; i < 4; i++) {
                await frame();
                worst = Math.max(worst, Math.abs(at() - before - moved));
              }
              return [worst, view.querySelectorAll('.message').length, moved];
            }
            """;
        for (var i = 0; i < 400 && await ada.Page.Locator(".begin").CountAsync() == 0; i++)
        {
            var (worst, rendered) = await ada.Page.EvaluateAsync<double[]>(Scroll, 700) is [var jump, var count, _] ? (jump, count) : default;
            Assert.True(worst < 2, $"A message jumped by {worst} pixels at step {i}.");
            Assert.True(rendered < 150, $"{rendered} messages are in the page.");
        }

        await Expect(ada.Page.Locator(".begin")).ToHaveCountAsync(1);
        await Expect(ada.Bubbles.Filter(new() { HasText = "Message 1." })).ToHaveCountAsync(1);

        // A new message while the reader is far away moves nothing. The button leads back to the newest message.
        var place = await ada.Page.EvaluateAsync<double>("document.querySelector('.begin').getBoundingClientRect().top");
        await ChatHistory.WriteAsync(pulse, group, [(grace.Id, "The newest of all")]);
        await Expect(ada.Page.Locator(".entry")).ToContainTextAsync("The newest of all");
        Assert.Equal(place, await ada.Page.EvaluateAsync<double>("document.querySelector('.begin').getBoundingClientRect().top"), 1.0);
        await ada.Page.Locator(".to-end").ClickAsync();
        await ada.SeesAsync("The newest of all");
        await Expect(ada.Page.Locator(".to-end")).ToHaveCountAsync(0);
    }

    // The browser reports a scroll in its next frame. Until then the list must not take the reader back to where the list was.
    [Theory]
    [InlineData("the list goes to its end")]
    [InlineData("a row grows at the end")]
    [InlineData("a row grows in the middle")]
    public async Task ReadersScroll_InTheFrameOfAMoveOfTheList_Counts(string move)
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var group = await ada.StartGroupAsync("Busy");
        await ChatHistory.WriteAsync(pulse, group, Enumerable.Range(1, 100).Select(at => (ada.Id, $"Message {at}.")));
        await ada.OpenAsync(group);
        await Expect(ada.Bubbles.Filter(new() { HasText = "Message 100." })).ToBeInViewportAsync();

        var (expected, worst) = await ada.Page.EvaluateAsync<double[]>(
            """
            async (move) => {
              const view = document.querySelector('.timeline');
              const top = view.getBoundingClientRect().top;
              const frame = () => new Promise(done => requestAnimationFrame(done));
              const settled = async () => { for (let i = 0; i < 6; i++) await frame(); };
              await settled();
              if (move !== 'a row grows at the end') {
                view.scrollTop -= 400;
                await settled();
              }
              if (move === 'the list goes to its end') {
                const before = view.scrollTop;
                document.querySelector('.to-end').click();
                for (let i = 0; i < 1000 && view.scrollTop === before; i++) await Promise.resolve();
                if (view.scrollTop === before) throw new Error('The list did not move.');
              } else {
                await frame();
              }
              view.scrollTop -= 200;
              const row = [...view.querySelectorAll('.message')].findLast(element => element.getBoundingClientRect().top < top + view.clientHeight);
              const at = () => row.getBoundingClientRect().top;
              const place = at();
              if (move !== 'the list goes to its end') view.querySelector('.message').style.minHeight = '300px';
              let worst = 0;
              for (let i = 0; i < 6; i++) {
                await frame();
                worst = Math.max(worst, Math.abs(at() - place));
              }
              return [view.scrollHeight - view.scrollTop - view.clientHeight, worst];
            }
            """, move) is [var below, var jump] ? (below, jump) : default;

        Assert.InRange(expected, 150, double.MaxValue);
        Assert.InRange(worst, 0, 2);
    }

    [Fact]
    public async Task MessageSentWhileTheConversationOpens_StaysInView()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await using var grace = await ChatPerson.ArriveAsync(pulse, "Grace");
        var group = await ada.StartGroupAsync("Slow", grace);
        await ChatHistory.WriteAsync(pulse, group, Enumerable.Range(1, 300).Select(at => (grace.Id, $"Message {at}.")));
        var isAsked = new TaskCompletionSource();
        var isAllowed = new TaskCompletionSource();
        await ada.Page.RouteAsync("**/messages?around=*", async route =>
        {
            isAsked.TrySetResult();
            await isAllowed.Task;
            await route.ContinueAsync();
        });

        await ada.OpenAsync(group);
        await isAsked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await ada.SayAsync("I have written already");
        await ada.SeesAsync("I have written already");
        var loaded = ada.Page.WaitForResponseAsync(answer => answer.Url.Contains("around=", StringComparison.Ordinal));
        isAllowed.SetResult();
        await loaded;

        await Expect(ada.Page.Locator(".new-line")).ToHaveCountAsync(0);
        await Expect(ada.Bubbles.Filter(new() { HasText = "I have written already" })).ToBeInViewportAsync();
    }

    [Fact]
    public async Task Quote_OfADeletedMessageOutsideOfTheWindow_ShowsThatItIsDeleted()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var group = await ada.StartGroupAsync("Quotes");
        await ChatHistory.WriteAsync(pulse, group, Enumerable.Range(1, 80).Select(at => (ada.Id, $"Message {at}.")));
        var headers = new Dictionary<string, string> { ["Origin"] = new Uri(ada.Page.Url).GetLeftPart(UriPartial.Authority) };
        var answer = await ada.Page.APIRequest.PostAsync($"/conversations/{group}/messages", new()
        {
            DataObject = new { clientId = Guid.NewGuid(), text = "An answer", replyTo = 2 },
            Headers = headers,
        });
        Assert.Equal(201, answer.Status);
        await ada.OpenAsync(group);
        await Expect(ada.Page.Locator(".quote")).ToContainTextAsync("Message 1.");

        await ada.Page.APIRequest.DeleteAsync($"/conversations/{group}/messages/2", new() { Headers = headers });

        await Expect(ada.Page.Locator(".quote")).ToContainTextAsync("This message was deleted.");
    }

    [Fact]
    public async Task Draft_IsKept_WhileMessagesAreEditedAndAnswered()
    {
        const string Draft = "half a thought";
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var group = await ada.StartGroupAsync("Drafts");
        await ada.OpenAsync(group);
        foreach (var text in (string[])["First", "Second"])
        {
            await ada.SayAsync(text);
            await ada.SeesAsync(text);
        }

        Task PressAsync(string text, string button) => ada.Page.Locator(".message", new() { HasText = text }).GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();
        await ada.Field.FillAsync(Draft);
        foreach (var (text, button) in ((string, string)[])[("First", "Edit"), ("Second", "Edit"), ("First", "Reply")])
        {
            await ada.Page.Locator(".message", new() { HasText = text }).HoverAsync();
            await PressAsync(text, button);
            await Expect(ada.Field).ToHaveValueAsync(button == "Edit" ? text : Draft);
        }

        await ada.Field.PressAsync("Escape");
        await Expect(ada.Page.Locator(".purpose")).ToHaveCountAsync(0);
        await Expect(ada.Field).ToHaveValueAsync(Draft);
        await ada.Page.Locator(".message", new() { HasText = "Second" }).HoverAsync();
        await PressAsync("Second", "Edit");
        await ada.Field.FillAsync("Second, in other words");
        await ada.Field.PressAsync("Enter");
        await ada.SeesAsync("Second, in other words");
        await Expect(ada.Field).ToHaveValueAsync(Draft);
    }

    [Fact]
    public async Task Copy_ThatTheBrowserForbids_SaysSo()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        await ada.OpenAsync(await ada.StartGroupAsync("Copies"));
        await ada.SayAsync("Copy me");
        await ada.SeesAsync("Copy me");
        await ada.Page.EvaluateAsync("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
        await ada.Page.Locator(".message").HoverAsync();
        // Before the click, because the page shows the text for some seconds only.
        var refusal = Expect(ada.Page.Locator(".toast")).ToContainTextAsync("did not allow copying", new() { Timeout = 60_000 });
        await ada.Page.Locator(".message").GetByRole(AriaRole.Button, new() { Name = "Copy text" }).ClickAsync();
        await refusal;
    }

    [Fact]
    public async Task Draft_IsKeptForEachConversation_UntilTheUserSignsOut()
    {
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada");
        var (first, second) = (await ada.StartGroupAsync("First"), await ada.StartGroupAsync("Second"));
        await ada.OpenAsync(first);
        await ada.Field.FillAsync("half a thought");

        await ada.OpenAsync(second);
        await Expect(ada.Page.Locator(".talk-title h2")).ToHaveTextAsync("Second");
        await Expect(ada.Field).ToHaveValueAsync("");
        await ada.OpenAsync(first);
        await ada.Page.ReloadAsync();
        await Expect(ada.Field).ToHaveValueAsync("half a thought");

        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();
        await ada.Page.WaitForURLAsync(url => !url.Contains("/chat", StringComparison.Ordinal));
        Assert.Equal("", await ada.Page.EvaluateAsync<string>("Object.keys(localStorage).filter(key => key.startsWith('pulse-chat')).join()"));
    }

    [Fact]
    public async Task Stranger_SignsIn_AndReturnsToTheChat()
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.Page.GotoAsync("/chat");
        await visitor.ArriveAsync("/signin?returnUrl=%2Fchat");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Alan Turing" }).ClickAsync();
        await visitor.ArriveAsync("/chat");
        await Expect(visitor.Page.Locator(".side-head h2")).ToHaveTextAsync("Chat");
    }

    [Fact]
    public async Task WithoutScript_ThePageSaysWhatItNeeds()
    {
        await using var visitor = await pulse.VisitAsync(script: false);
        await visitor.SignInAsync("No Script");
        await visitor.Page.GotoAsync("/chat");

        await Expect(visitor.Page.Locator("noscript")).ToBeVisibleAsync();
        Assert.Contains("needs JavaScript", await visitor.Page.ContentAsync(), StringComparison.Ordinal);
        await Expect(visitor.Page.Locator("h1")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Page_WithAllItsFiles_IsAtMost120KilobytesCompressed()
    {
        const int Budget = 120 * 1024;
        await using var visitor = await pulse.VisitAsync();
        await visitor.SignInAsync("Ada");
        var html = await (await visitor.Page.APIRequest.GetAsync("/chat")).TextAsync();
        string[] files = [.. Regex.Matches(html, "(?:src|href)=\"(?<path>/(?:assets/|favicon)[^\"]+)\"").Select(match => match.Groups["path"].Value)];
        Assert.Contains(files, file => file.StartsWith("/assets/chat.js?v=", StringComparison.Ordinal));

        var total = System.Text.Encoding.UTF8.GetByteCount(html);
        foreach (var file in files)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, file);
            request.Headers.AcceptEncoding.ParseAdd("gzip");
            using var answer = await pulse.Anonymous.SendAsync(request);
            if (file.StartsWith("/assets/", StringComparison.Ordinal)) Assert.Equal(["gzip"], answer.Content.Headers.ContentEncoding);
            total += (await answer.Content.ReadAsByteArrayAsync()).Length;
        }

        Assert.InRange(total, 1, Budget);
    }
}
