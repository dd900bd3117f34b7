using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>The first minute with an unused Pulse, because the size of its pages must not depend on other tests' people.</summary>
public sealed class NewcomerTests : IAsyncLifetime
{
    // The promise is 50 KB for everything from the start page to the live dashboard, as sent: scripts and styles are compressed, pages are
    // not.
    private const int SizeBudget = 50_000;

    private readonly PagesApplication _pulse = new();

    public Task InitializeAsync() => _pulse.InitializeAsync();

    public Task DisposeAsync() => _pulse.DisposeAsync();

    [Fact]
    public async Task Newcomer_FromTheStartPage_IsOnTheDashboardWithinThreeClicks()
    {
        await using var visitor = await _pulse.VisitAsync();
        var sizes = new Dictionary<string, Task<RequestSizesResult>>();
        visitor.Page.Response += (_, response) =>
        {
            if (response.Status == 200) sizes[response.Url] = response.Request.SizesAsync();
        };

        await visitor.Page.GotoAsync("/");
        await visitor.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).Last.ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Ada Lovelace" }).ClickAsync();

        await Expect(visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "Hello, Ada Lovelace" })).ToBeVisibleAsync();
        await Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Online");
        await Expect(visitor.Page.GetByText("This device")).ToBeVisibleAsync();
        Assert.Empty(visitor.Complaints);

        var bodies = await Task.WhenAll(sizes.Select(async size => (Url: size.Key, Length: (await size.Value).ResponseBodySize)));
        Assert.Contains(bodies, body => body.Url.Contains("/assets/dashboard.js", StringComparison.Ordinal));
        Assert.True(bodies.Sum(body => body.Length) <= SizeBudget, string.Join(", ", bodies));
    }

    [Fact]
    public async Task FirstUser_ReadsThatNoOthersAreHere_UntilASecondConnects()
    {
        await using var ada = await _pulse.VisitAsync();
        await ada.SignInAsync("Ada");
        await Expect(ada.Page.GetByText("Nobody else has signed in yet")).ToBeVisibleAsync();

        await using var grace = await _pulse.VisitAsync();
        await grace.SignInAsync("Grace");

        // The list is fetched again every 5 s.
        await Expect(ada.Page.Locator("#people-count")).ToContainTextAsync("1 of 1 here", new() { Timeout = 60_000 });
        await Expect(ada.Page.GetByText("Nobody else has signed in yet")).ToBeHiddenAsync();
    }
}
