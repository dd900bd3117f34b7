using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Orleans;
using Pulse.Users;
using Pulse.Web.Dashboard;
using Pulse.Web.Presence;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>The dashboard's list of other users.</summary>
[Collection(SharedPages.Name)]
public sealed class PeopleTests(PagesApplication pulse)
{
    // The list is fetched again every 5 s, and may be some seconds old then.
    private static readonly LocatorAssertionsToContainTextOptions s_patiently = new() { Timeout = 60_000 };

    [Fact]
    public async Task Others_AreShownLive_ConnectBusyMessageAndDisconnect()
    {
        await using var ada = await pulse.VisitAsync();
        await using var grace = await pulse.VisitAsync();
        var name = NewName();
        var adasName = NewName();
        await ada.SignInAsync(adasName);

        // Ada's page is not reloaded: a new user appears on it by itself.
        await grace.SignInAsync(name);
        var row = Row(ada, name);
        await Expect(row).ToContainTextAsync("Online", s_patiently);
        await Expect(row).ToHaveAttributeAsync("data-state", "online");

        // Name and picture too. Each of two pages saves only what was edited in it.
        await grace.Page.Context.RouteAsync("https://pictures.example/**", ShowPictureAsync);
        await ada.Page.Context.RouteAsync("https://pictures.example/**", ShowPictureAsync);
        var second = await Visitor.OpenAsync(grace.Page.Context);
        await second.Page.GotoAsync("/dashboard");
        name = NewName();
        await SaveAsync(grace, "Name", name);
        await SaveAsync(second, "Picture", "https://pictures.example/grace.svg");
        await Expect(second.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync($"Hello, {name}");
        await Expect(row).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        row = Row(ada, name);
        await Expect(row.Locator("img")).ToHaveAttributeAsync("src", "https://pictures.example/grace.svg");
        await SaveAsync(second, "Picture", "");
        await Expect(row.Locator("img")).ToHaveCountAsync(0);
        await second.Page.CloseAsync();
        await Expect(row).ToContainTextAsync("Online", s_patiently);

        await SetStatusAsync(grace, "Busy", "Counting nanoseconds");
        await Expect(row).ToContainTextAsync("Busy Counting nanoseconds", s_patiently);
        await Expect(row).ToHaveAttributeAsync("data-state", "busy");
        await Expect(grace.Page.Locator("#presence")).ToHaveTextAsync("Busy");

        await SetStatusAsync(grace, "Invisible", "");
        await Expect(row).ToHaveAttributeAsync("data-state", "offline");
        await Expect(row).Not.ToContainTextAsync("Counting");
        await Expect(grace.Page.Locator("#presence")).ToHaveTextAsync("Invisible");

        await SetStatusAsync(grace, "Online", "");
        await Expect(row).ToHaveAttributeAsync("data-state", "online");
        await grace.Page.CloseAsync();
        await Expect(row).ToContainTextAsync("Last seen just now", s_patiently);
        await Expect(row.Locator("time")).ToHaveAttributeAsync("datetime", new Regex(@"^\d{4}-\d\d-\d\dT.*Z$"));
        await Expect(Row(ada, adasName)).ToHaveCountAsync(0);
        Assert.Empty(ada.Complaints);
        Assert.Empty(grace.Complaints);
    }

    [Fact]
    public async Task People_KeepTheirPlaces_InTheOrderOfTheirNames()
    {
        await using var ada = await pulse.VisitAsync();
        await using var first = await pulse.VisitAsync();
        await using var second = await pulse.VisitAsync();
        var (gone, here) = ($"A {NewName()}", $"Z {NewName()}");
        await second.SignInAsync(here);
        await ada.SignInAsync("Ada");

        // A person who signs in later gets a row between the others.
        await first.SignInAsync(gone);
        foreach (var name in new[] { gone, here }) await Expect(Row(ada, name)).ToContainTextAsync("Online", s_patiently);
        Assert.True(await PlaceAsync(ada, gone) < await PlaceAsync(ada, here), "A new row comes in the order of the names.");

        await first.Page.CloseAsync();
        await Expect(Row(ada, gone)).ToContainTextAsync("Last seen", s_patiently);
        Assert.True(await PlaceAsync(ada, gone) < await PlaceAsync(ada, here), "A user who leaves moves nobody.");

        // If scripts are off, the list shows the server's state.
        await using var unscripted = await pulse.VisitAsync(script: false);
        await unscripted.SignInAsync("Ada without script");
        await Expect(Row(unscripted, gone)).ToContainTextAsync("Last seen");
        Assert.True(await PlaceAsync(unscripted, gone) < await PlaceAsync(unscripted, here), "The server sorts in the same way.");
    }

    [Fact]
    public async Task StatusForm_ShowsWhatOthersSee_InEveryTabAndBrowser()
    {
        await using var ada = await pulse.VisitAsync();
        await ada.SignInAsync("Ada");
        var second = await ada.Page.Context.NewPageAsync();
        await second.GotoAsync("/dashboard");
        foreach (var page in new[] { ada.Page, second }) await Expect(page.Locator("#presence")).ToHaveTextAsync("Online");

        await SetStatusAsync(ada, "Busy", "Counting");
        await Expect(ada.Page.Locator("#status-note")).ToHaveTextAsync("Set: others see it now.");
        await Expect(second.Locator("#own-status")).ToHaveValueAsync("busy");
        await Expect(second.Locator("#own-message")).ToHaveValueAsync("Counting");

        await second.GetByLabel("Show me as").SelectOptionAsync("Online");
        await second.GetByLabel("In your words").FillAsync("");
        await second.GetByRole(AriaRole.Button, new() { Name = "Set status" }).ClickAsync();
        await Expect(ada.Page.Locator("#own-status")).ToHaveValueAsync("online");
        await Expect(ada.Page.Locator("#own-message")).ToHaveValueAsync("");
        await Expect(ada.Page.Locator("#status-note")).ToHaveTextAsync("");
    }

    [Fact]
    public async Task StatusForm_BesideAnInvisibleDevice_SaysWhatOthersSee()
    {
        await using var phone = await pulse.VisitAsync();
        await using var desk = await pulse.VisitAsync();
        var email = $"{Guid.NewGuid():N}@example.com";
        await phone.SignInAsync("Ada", email);
        await SetStatusAsync(phone, "Invisible", "");
        await Expect(phone.Page.Locator("#status-note")).ToHaveTextAsync("Set: others see you offline.");

        await desk.SignInAsync("Ada", email);
        await Expect(desk.Page.Locator("#presence")).ToHaveTextAsync("Invisible");
        await SetStatusAsync(desk, "Busy", "Counting");
        await Expect(desk.Page.Locator("#status-note")).ToHaveTextAsync("Set for this device. Another device of yours decides what others see: Offline.");

        await SetStatusAsync(phone, "Online", "");
        await Expect(desk.Page.Locator("#status-note")).ToHaveTextAsync("Set: others see it now.");
        await Expect(phone.Page.Locator("#status-note")).ToHaveTextAsync("Set for this device. Another device of yours decides what others see: Busy.");
    }

    [Fact]
    public async Task PageOfAFormerUser_ShowsTheUserWhomAnotherTabHasSignedIn()
    {
        await using var ada = await pulse.VisitAsync();
        var network = await Network.OfAsync(ada.Page);
        await ada.SignInAsync("Ada");
        await Expect(ada.Page.Locator("#presence")).ToHaveTextAsync("Online");

        // As in a suspended laptop, the page does not learn of the end of its session.
        await network.CutAsync();
        await Expect(ada.Page.Locator("#presence")).ToHaveTextAsync("Reconnecting");
        var grace = await Visitor.OpenAsync(ada.Page.Context);
        await grace.SignInAsync("Grace");
        await Expect(ada.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Hello, Ada");

        network.Restore();
        await ada.Page.EvaluateAsync("window.dispatchEvent(new Event('online'))");

        await Expect(ada.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Hello, Grace");
    }

    [Fact]
    public async Task StatusMessage_ThatTheHubRefuses_SaysSo()
    {
        await using var ada = await pulse.VisitAsync();
        await ada.SignInAsync("Ada");
        await Expect(ada.Page.Locator("#presence")).ToHaveTextAsync("Online");

        await ada.Page.Locator("#own-message").EvaluateAsync("input => { input.removeAttribute('maxlength'); input.value = 'x'.repeat(141); }");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Set status" }).ClickAsync();

        await Expect(ada.Page.Locator("#status-note")).ToContainTextAsync("140 characters");
    }

    [Fact]
    public async Task UserHiddenByThePolicy_IsNotListed()
    {
        var grains = pulse.Services.GetRequiredService<IGrainFactory>();
        var (hidden, visible) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var id in new[] { hidden, visible }) await grains.GetGrain<IUserGrain>(id).SyncProfileAsync(new() { Email = $"{id:N}@example.com" });

        async Task<Guid[]> ListAsync(params object[] policy) =>
            [.. (await ActivatorUtilities.CreateInstance<PeopleReader>(pulse.Services, policy).ReadAsync(Guid.NewGuid(), CancellationToken.None))!.Select(person => person.Id)];

        await Eventually.AsyncTrue("both are listed", async () => (await ListAsync()).Intersect([hidden, visible]).Count() == 2);
        Assert.Equal([visible], (await ListAsync(new AllBut(hidden))).Intersect([hidden, visible]));
    }

    [Fact]
    public async Task ListPeopleOff_ListsNoUsers()
    {
        var application = new Unlisted();
        try
        {
            await application.InitializeAsync();
            await using var ada = await application.VisitAsync();
            await ada.SignInAsync("Ada");

            await Expect(ada.Page.Locator("#presence")).ToHaveTextAsync("Online");
            await Expect(ada.Page.Locator("#others")).ToHaveCountAsync(0);
            Assert.Equal((int)HttpStatusCode.NotFound, await ada.Page.EvaluateAsync<int>("fetch('/dashboard/people').then(answer => answer.status)"));
        }
        finally
        {
            await application.DisposeAsync();
        }
    }

    private static async Task SetStatusAsync(Visitor visitor, string status, string message)
    {
        await visitor.Page.GetByLabel("Show me as").SelectOptionAsync(new SelectOptionValue { Label = status });
        await visitor.Page.GetByLabel("In your words").FillAsync(message);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Set status" }).ClickAsync();
    }

    private static async Task SaveAsync(Visitor visitor, string field, string value)
    {
        await visitor.Page.GetByText("Edit name and picture").ClickAsync();
        await visitor.Page.GetByLabel(field, new() { Exact = true }).FillAsync(value);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await visitor.ArriveAsync("/dashboard?done=profile");
    }

    private static Task ShowPictureAsync(IRoute route) =>
        route.FulfillAsync(new() { ContentType = "image/svg+xml", Body = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>" });

    private static ILocator Row(Visitor visitor, string name) =>
        visitor.Page.Locator("#others > li").Filter(new() { Has = visitor.Page.GetByText(name, new() { Exact = true }) });

    private static Task<int> PlaceAsync(Visitor visitor, string name) =>
        visitor.Page.EvaluateAsync<int>("name => [...document.querySelectorAll('#others > li .name')].findIndex(element => element.textContent === name)", name);

    private static string NewName() => $"Person {Guid.NewGuid():N}";

    private sealed class AllBut(Guid hidden) : IPresencePolicy
    {
        public ValueTask<bool> MaySeeAsync(Guid viewerId, Guid userId, CancellationToken cancellationToken = default) => new(userId != hidden);
    }

    private sealed class Unlisted() : PagesApplication([KeyValuePair.Create("Pulse:Pages:ListPeople", "false")]);
}
