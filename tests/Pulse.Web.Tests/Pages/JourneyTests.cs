using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>The usual actions of users, in their order.</summary>
[Collection(SharedPages.Name)]
public sealed class JourneyTests(PagesApplication pulse)
{
    [Fact]
    public async Task Newcomer_WithTheKeyboardOnly_SignsIn()
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.Page.GotoAsync("/");

        await PressAsync(visitor.Page, "Tab", "Skip to the content");
        await visitor.Page.Keyboard.PressAsync("Enter");
        await PressAsync(visitor.Page, "Tab", "Sign in");
        await visitor.Page.Keyboard.PressAsync("Enter");
        await visitor.ArriveAsync("/signin");
        await PressAsync(visitor.Page, "Tab", "Grace Hopper");
        await visitor.Page.Keyboard.PressAsync("Enter");

        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "Hello, Grace Hopper" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task TwoPeople_InTwoBrowsers_AreBothLive()
    {
        await using var ada = await pulse.VisitAsync();
        await using var grace = await pulse.VisitAsync();
        await ada.SignInAsync("Ada");
        await grace.SignInAsync("Grace");

        foreach (var visitor in new[] { ada, grace })
        {
            await Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Online");
            await Expect(visitor.Page.Locator("#presence")).ToHaveAttributeAsync("data-state", "online");
            await Expect(visitor.Page.Locator("#presence-note")).ToContainTextAsync("Connected");
        }

        // Ada sees the others' live status too, by the route that an application would use.
        var gracesId = await grace.Page.Locator("#presence").GetAttributeAsync("data-user");
        const string Look = "id => fetch(`/presence?ids=${id}`).then(answer => answer.json()).then(all => all[0].status)";
        Assert.Equal("online", await ada.Page.EvaluateAsync<string>(Look, gracesId));
        await grace.Page.CloseAsync();
        await ada.Page.WaitForFunctionAsync($"async id => await ({Look})(id) === 'offline'", gracesId, new() { Timeout = 60_000 });
        Assert.Empty(ada.Complaints);
    }

    [Fact]
    public async Task Stranger_OnAProtectedPage_SignsInAndReturns()
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.Page.GotoAsync("/example");
        Assert.Equal("/signin?returnUrl=%2Fexample", new Uri(visitor.Page.Url).PathAndQuery);

        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Alan Turing" }).ClickAsync();

        await visitor.ArriveAsync("/example");
        await Expect(visitor.Page.GetByText("You do, Alan Turing.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task SignOutOfAnotherDevice_EndsItsPage()
    {
        const string Mailbox = "device-owner@example.com";
        await using var phone = await pulse.VisitAsync(width: 320);
        await using var desk = await pulse.VisitAsync();
        foreach (var visitor in new[] { phone, desk })
        {
            await visitor.Page.GotoAsync("/signin");
            await visitor.Page.GetByText("Somebody else").ClickAsync();
            await visitor.Page.GetByLabel("Their e-mail").FillAsync(Mailbox);
            await visitor.Page.GetByLabel("Their name").FillAsync("Owner");
            await visitor.Page.GetByLabel("Their name").PressAsync("Enter");
            await visitor.ArriveAsync("/dashboard");
        }

        var devices = desk.Page.Locator("section:has(#devices) li");
        await Expect(devices).ToHaveCountAsync(2);
        await devices.Filter(new() { HasNotText = "This device" }).GetByRole(AriaRole.Button).ClickAsync();

        await Expect(desk.Page.GetByText("That device is signed out.")).ToBeVisibleAsync();
        await Expect(devices).ToHaveCountAsync(1);
        // By itself: the end of the session closes the phone's socket, and its page asks for the reason.
        await phone.ArriveAsync("/signin?returnUrl=%2Fdashboard");
    }

    // As a person would: repeatedly until the element is focused.
    private static async Task PressAsync(IPage page, string key, string until)
    {
        const int PatienceKeys = 40;
        for (var i = 0; i < PatienceKeys; i++)
        {
            await page.Keyboard.PressAsync(key);
            if ((await page.EvaluateAsync<string>("document.activeElement.innerText")).Contains(until, StringComparison.Ordinal)) return;
        }

        Assert.Fail($"'{until}' was not reached with {PatienceKeys} times {key}.");
    }
}
