using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>Everything except the live status works without JavaScript.</summary>
[Collection(SharedPages.Name)]
public sealed class WithoutScriptTests(PagesApplication pulse)
{
    [Fact]
    public async Task SignInAndOut_Works()
    {
        await using var visitor = await pulse.VisitAsync(script: false);
        await visitor.SignInAsync("No Script");
        await Expect(visitor.Page.Locator("noscript")).ToBeVisibleAsync();

        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();

        await Expect(visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).First).ToBeVisibleAsync();
        await visitor.Page.GotoAsync("/dashboard");
        await visitor.ArriveAsync("/signin?returnUrl=%2Fdashboard");
    }

    [Fact]
    public async Task SignOutEverywhere_EndsThisBrowserToo()
    {
        await using var visitor = await pulse.VisitAsync(script: false);
        await visitor.SignInAsync("No Script");

        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out everywhere" }).ClickAsync();

        await visitor.Page.GotoAsync("/dashboard");
        await visitor.ArriveAsync("/signin?returnUrl=%2Fdashboard");
    }

    [Fact]
    public async Task SignOutTheOthers_KeepsThisBrowser()
    {
        await using var visitor = await pulse.VisitAsync(script: false);
        await using var other = await pulse.VisitAsync(script: false);
        await visitor.SignInAsync("No Script");
        var email = (await (await visitor.Page.APIRequest.GetAsync("/auth/me")).JsonAsync())!.Value.GetProperty("email").GetString()!;
        for (var i = 0; i < 2; i++)
        {
            await other.Page.Context.ClearCookiesAsync();
            await other.SignInAsync("No Script", email);
        }

        await visitor.Page.ReloadAsync();
        await Expect(visitor.Page.GetByText("2 sign-ins")).ToBeVisibleAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out the others" }).ClickAsync();

        await visitor.ArriveAsync("/dashboard?done=other-devices");
        await Expect(visitor.Page.GetByText("2 sign-ins")).ToHaveCountAsync(0);
        await other.Page.GotoAsync("/dashboard");
        await other.ArriveAsync("/signin?returnUrl=%2Fdashboard");
    }

    [Fact]
    public async Task AddressOfTheProfileForm_LeadsToTheDashboard()
    {
        await using var visitor = await pulse.VisitAsync(script: false);
        await visitor.SignInAsync("Before");
        await visitor.Page.GotoAsync("/dashboard/profile");
        await visitor.ArriveAsync("/dashboard");
    }

    [Fact]
    public async Task Profile_IsEdited_AndThePictureRemoved()
    {
        await using var visitor = await pulse.VisitAsync(script: false);
        await visitor.SignInAsync("Before");

        await SaveAsync(visitor.Page, "After & <b>later</b>", "https://example.invalid/a.png");
        await Expect(visitor.Page.GetByText("Your profile is saved.")).ToBeVisibleAsync();
        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Hello, After & <b>later</b>");
        await Expect(visitor.Page.Locator(".avatar img")).ToHaveAttributeAsync("src", "https://example.invalid/a.png");

        await SaveAsync(visitor.Page, "After", "");
        await Expect(visitor.Page.Locator(".avatar img")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Profile_ThatBreaksARule_IsShownWithTheFaultAndTheTypedText()
    {
        await using var visitor = await pulse.VisitAsync(script: false);
        await visitor.SignInAsync("Before");

        await SaveAsync(visitor.Page, "Kept", "ftp://example.com/a.png");

        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not saved");
        await Expect(visitor.Page.GetByLabel("Name", new() { Exact = true })).ToHaveValueAsync("Kept");
        await Expect(visitor.Page.GetByLabel("Picture")).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(visitor.Page.GetByLabel("Picture")).ToHaveAccessibleDescriptionAsync(new System.Text.RegularExpressions.Regex("The picture must be an https address"));
        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Hello, Before");
    }

    [Fact]
    public async Task Account_IsDeleted_OnceItsAddressIsTyped()
    {
        await using var visitor = await pulse.VisitAsync(script: false);
        await visitor.SignInAsync("Leaving");
        var me = await (await visitor.Page.APIRequest.GetAsync("/auth/me")).JsonAsync();

        await DeleteAsync(visitor.Page, "somebody@example.com");
        await Expect(visitor.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not deleted");

        await DeleteAsync(visitor.Page, me!.Value.GetProperty("email").GetString()!.ToUpperInvariant());
        await visitor.ArriveAsync("/");
        await visitor.Page.GotoAsync("/dashboard");
        await visitor.ArriveAsync("/signin?returnUrl=%2Fdashboard");
    }

    private static async Task DeleteAsync(IPage page, string typed)
    {
        await page.GetByText("Delete your account").ClickAsync();
        await page.GetByLabel("To confirm").FillAsync(typed);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete my account" }).ClickAsync();
    }

    private static async Task SaveAsync(IPage page, string name, string picture)
    {
        await page.GetByText("Edit name and picture").ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync(name);
        await page.GetByLabel("Picture").FillAsync(picture);
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
    }
}
