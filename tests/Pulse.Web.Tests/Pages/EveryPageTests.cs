using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Pulse.Web.Tests.Pages;

/// <summary>The rules of every page: it is free of findings of axe, of errors of the browser, and of clipped content on a small phone.</summary>
[Collection(AllPages.Name)]
public sealed class EveryPageTests(PagesApplication pulse)
{
    private const int Wide = 1200;
    private const int Narrow = 320;
    private const int Phone = 360;
    private const int Height = 900;

    private static readonly Dictionary<string, Func<Visitor, Task>> s_pages = new()
    {
        ["home"] = visitor => visitor.Page.GotoAsync("/"),
        ["signin"] = visitor => visitor.Page.GotoAsync("/signin"),
        ["signin-somebody-else"] = async visitor =>
        {
            await visitor.Page.GotoAsync("/signin");
            await visitor.Page.GetByText("Somebody else").ClickAsync();
        },
        ["dashboard"] = async visitor =>
        {
            await visitor.SignInAsync("Ada Lovelace");
            await Assertions.Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Online");
        },
        ["dashboard-fault"] = async visitor =>
        {
            await visitor.SignInAsync("Grace Hopper");
            await visitor.Page.GetByText("Edit name and picture").ClickAsync();
            await visitor.Page.GetByLabel("Picture").FillAsync("ftp://example.com/grace.png");
            await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
            await Assertions.Expect(visitor.Page.Locator("#avatar-fault")).ToBeVisibleAsync();
            await Assertions.Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Online");
        },
        ["dashboard-long-words"] = visitor => visitor.SignInAsync(new string('W', 200)),
        ["example"] = async visitor =>
        {
            await visitor.SignInAsync("Alan Turing");
            await visitor.Page.GotoAsync("/example");
        },
        ["not-found"] = visitor => visitor.Page.GotoAsync("/no/such/page"),
        ["bad-link"] = visitor => visitor.Page.GotoAsync("/auth/callback/email?token=x"),
        ["check-mail"] = AskForLinkAsync,
        ["dev-mail"] = async visitor =>
        {
            await AskForLinkAsync(visitor);
            await visitor.Page.GotoAsync("/dev/mail");
        },
        ["confirm-email"] = OpenLinkAsync,
        ["confirm-email-somebody-else"] = async visitor =>
        {
            await visitor.SignInAsync("Ada Lovelace");
            await OpenLinkAsync(visitor);
            await Assertions.Expect(visitor.Page.GetByText("You are signed in here as somebody else")).ToBeVisibleAsync();
        },
    };

    public static TheoryData<string> Pages => [.. s_pages.Keys];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Page_InEachSchemeWidthAndLanguage_PassesAxeAndFits(string page)
    {
        await using var visitor = await pulse.VisitAsync(width: Wide);
        await s_pages[page](visitor);
        await LookAsync(visitor, $"{page}-light", Wide);

        await visitor.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await LookAsync(visitor, $"{page}-dark", Wide);

        await visitor.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await visitor.Page.SetViewportSizeAsync(Narrow, Height);
        await LookAsync(visitor, $"{page}-narrow", Narrow);

        // The steps to the page name English texts, so the browser changes its language at their end.
        await visitor.Page.SetViewportSizeAsync(Phone, Height);
        await visitor.Page.Context.SetExtraHTTPHeadersAsync([new("Accept-Language", "de-AT,de;q=0.9,en;q=0.8")]);
        await visitor.Page.ReloadAsync();
        await Assertions.Expect(visitor.Page.Locator("html")).ToHaveAttributeAsync("lang", "de");
        Assert.Empty((await TextsAsync(visitor.Page)).Intersect(PageTextsTests.EnglishTexts));
        await LookAsync(visitor, $"{page}-german", Phone);
    }

    [Fact]
    public async Task Scripts_OfTheDashboard_HaveGermanTexts()
    {
        await using var visitor = await pulse.VisitAsync(language: "de-AT");
        await visitor.Page.GotoAsync("/signin");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Ada Lovelace" }).ClickAsync();
        await Assertions.Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Hallo, Ada Lovelace");
        await visitor.Page.GetByLabel("Anzeigen als").SelectOptionAsync("Beschäftigt");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Status setzen" }).ClickAsync();
        await Assertions.Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Beschäftigt");
        await Assertions.Expect(visitor.Page.Locator("#status-note")).ToHaveTextAsync("Gesetzt: Andere sehen es jetzt.");
        await Assertions.Expect(visitor.Page.Locator("#presence-note")).ToContainTextAsync("Verbunden.");
        // The hub's error is in English.
        await visitor.Page.GetByLabel("In Ihren Worten").EvaluateAsync("input => { input.removeAttribute('maxlength'); input.value = 'x'.repeat(141); }");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Status setzen" }).ClickAsync();
        await Assertions.Expect(visitor.Page.Locator("#status-note")).ToHaveTextAsync("Nicht gesetzt: Ein Text hat höchstens 140 Zeichen und keine Steuerzeichen oder Zeilenumbrüche.");
        Assert.Empty((await TextsAsync(visitor.Page)).Intersect(PageTextsTests.EnglishTexts));
        await Screenshots.TakeAsync(visitor.Page, "dashboard-german-wide");
    }

    [Fact]
    public async Task ForcedColors_LeaveTheShapesThatShowAState()
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.Page.EmulateMediaAsync(new() { ForcedColors = ForcedColors.Active });
        await visitor.Page.GotoAsync("/");
        Assert.True(await StandsOutAsync(".pill", "::before"), "The dot of the health card is lost.");
        await Screenshots.TakeAsync(visitor.Page, "home-forced-colors");

        await visitor.SignInAsync("Ada Lovelace");
        await Assertions.Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Online");
        Assert.True(await StandsOutAsync("#presence .dot"), "The dot of the own status is lost.");
        await Screenshots.TakeAsync(visitor.Page, "dashboard-forced-colors");

        Task<bool> StandsOutAsync(string element, string? part = null) => visitor.Page.EvaluateAsync<bool>(
            "([element, part]) => getComputedStyle(document.querySelector(element), part).backgroundColor !== getComputedStyle(document.body).backgroundColor",
            new[] { element, part });
    }

    /// <summary>All texts in the language of the page, those that only screen readers or pointers reach among them.</summary>
    internal static Task<string[]> TextsAsync(IPage page) => page.EvaluateAsync<string[]>(
        """
        () => {
          const texts = [document.title.split(' · ')[0], document.querySelector('meta[name=description]').content];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const isOfThePage = element => element.closest('[lang]').lang === document.documentElement.lang;
          while (walker.nextNode()) if (isOfThePage(walker.currentNode.parentElement)) texts.push(walker.currentNode.data.trim());
          for (const name of ['aria-label', 'placeholder', 'title']) {
            for (const element of document.querySelectorAll(`[${name}]`)) texts.push(element.getAttribute(name));
          }
          return texts;
        }
        """);

    private static async Task LookAsync(Visitor visitor, string name, int width)
    {
        await Screenshots.TakeAsync(visitor.Page, name);
        await AssertFineAsync(visitor, width);
    }

    /// <summary>Checks these rules on the visitor's present page, in a window of that width.</summary>
    internal static async Task AssertFineAsync(Visitor visitor, int width)
    {
        await AssertNoFindingAsync(visitor.Page);
        Assert.Equal(1, await visitor.Page.Locator("h1").CountAsync());
        Assert.True(await visitor.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width, "The page is wider than the window.");
        Assert.Empty(visitor.Complaints);
    }

    /// <summary>Runs axe on the page as it is now.</summary>
    internal static async Task AssertNoFindingAsync(IPage page)
    {
        var axe = await page.RunAxe();
        Assert.Empty(axe.Violations.Select(violation =>
            $"{violation.Id}: {violation.Help} ({string.Join("; ", violation.Nodes.Select(node => node.Html))})"));
    }

    private static async Task OpenLinkAsync(Visitor visitor)
    {
        // A separate mailbox, because a link works only in the browser that asked for it.
        var email = await AskForLinkAsync(visitor);
        await visitor.Page.GotoAsync("/dev/mail");
        await visitor.Page.Locator("article", new() { HasText = email }).GetByRole(AriaRole.Link, new() { Name = "Open the link" }).First.ClickAsync();
        await Assertions.Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "Finish signing in" })).ToBeVisibleAsync();
        await Assertions.Expect(visitor.Page.GetByText(email)).ToBeVisibleAsync();
    }

    private static async Task<string> AskForLinkAsync(Visitor visitor)
    {
        var email = $"katherine.{Guid.NewGuid():N}@example.com";
        await visitor.Page.GotoAsync("/signin");
        await visitor.Page.GetByLabel("E-mail", new() { Exact = true }).FillAsync(email);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Send me a link" }).ClickAsync();
        await Assertions.Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "Check your mail" })).ToBeVisibleAsync();
        return email;
    }
}
