using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Playwright;
using Orleans;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Demo;
using Pulse.Web.Tests.Pages;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Demo;

/// <summary><c>--demo</c>. Its refusal outside Development is tested in <see cref="ProductionTests"/>.</summary>
public sealed class DemoTests(DemoTests.Application pulse) : IClassFixture<DemoTests.Application>
{
    public sealed class Application() : PagesApplication([KeyValuePair.Create("Pulse:Demo", "true")]);

    private IGrainFactory Grains => pulse.Services.GetRequiredService<IGrainFactory>();

    [Theory]
    [InlineData(ColorScheme.Light, 1200, "light")]
    [InlineData(ColorScheme.Dark, 1200, "dark")]
    [InlineData(ColorScheme.Light, 320, "narrow")]
    public async Task Dashboard_ShowsFiftyPeopleLive(ColorScheme scheme, int width, string variant)
    {
        await EveryoneAsync();
        await using var visitor = await pulse.VisitAsync(scheme, width);
        await visitor.SignInAsync("Ada Lovelace");
        var rows = visitor.Page.Locator("#others > li");
        await Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Online");
        foreach (var state in new[] { "online", "away", "busy", "offline" })
            await Expect(visitor.Page.Locator($"#others > [data-state={state}]").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Expect(rows.Filter(new() { HasText = "Zuri Kamau" })).ToHaveCountAsync(1);
        await Screenshots.TakeAsync(visitor.Page, $"dashboard-demo-{variant}");

        // The page is live: its content changes by itself, several times.
        await visitor.Page.EvaluateAsync("""
            () => {
              window.seen = new Set();
              new MutationObserver(changes => changes.forEach(change => window.seen.add(change.target.closest('li')?.dataset.user)))
                .observe(document.getElementById('others'), { subtree: true, attributeFilter: ['data-state'] });
            }
            """);
        await visitor.Page.WaitForFunctionAsync("() => window.seen.size >= 3", null, new() { Timeout = 60_000 });
        await EveryPageTests.AssertFineAsync(visitor, width);
    }

    [Fact]
    public async Task Dashboard_MovesNobody_WhilePeopleComeAndGo()
    {
        await EveryoneAsync();
        await using var visitor = await pulse.VisitAsync();
        await visitor.SignInAsync("Ada Lovelace");
        await Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Online");

        // Of ten people the status, and with it the text, has changed.
        var moved = await visitor.Page.EvaluateAsync<int>("""
            async () => {
              const rows = [...document.querySelectorAll('#others > li')];
              const places = () => rows.map(row => row.offsetLeft + ' ' + row.offsetTop);
              const changed = new Set();
              let before = places(), moved = 0;
              await new Promise(done => {
                new MutationObserver(changes => {
                  changes.forEach(change => changed.add(change.target.closest('li')));
                  const now = places();
                  moved += now.filter((place, index) => place !== before[index]).length;
                  before = now;
                  if (changed.size >= 10) done();
                }).observe(document.getElementById('others'), { subtree: true, childList: true, attributeFilter: ['data-state'] });
              });
              return moved;
            }
            """);
        Assert.Equal(0, moved);
    }

    [Fact]
    public async Task Dashboard_FindsPeople_ByNameAndStatus()
    {
        await EveryoneAsync();
        await using var visitor = await pulse.VisitAsync();
        await visitor.SignInAsync("Ada Lovelace");
        var shown = visitor.Page.Locator("#others > li:not([hidden])");
        await Expect(visitor.Page.Locator("#others > li").Nth(49)).ToBeAttachedAsync(new() { Timeout = 60_000 });

        await visitor.Page.GetByLabel("Search people").FillAsync("tereza dvorak");
        await Expect(shown).ToHaveCountAsync(1);
        await Expect(shown).ToContainTextAsync("Tereza Dvořák");
        await visitor.Page.GetByLabel("Search people").FillAsync("nobody of that name");
        await Expect(visitor.Page.GetByText("Nobody fits.")).ToBeVisibleAsync();

        await visitor.Page.GetByLabel("Search people").FillAsync("");
        await visitor.Page.GetByLabel("Offline").CheckAsync();
        await Expect(shown.First).ToBeVisibleAsync();
        Assert.Equal(0, await visitor.Page.Locator("#others > li:not([hidden]):not([data-state=offline])").CountAsync());
    }

    [Fact]
    public async Task AnotherStart_AddsNoPeople()
    {
        await EveryoneAsync();

        var again = await Task.WhenAll(DemoPerson.Everybody.Select(person => Grains.GetGrain<IUserGrain>(person.Id).SyncProfileAsync(person.Profile)));

        Assert.Equal(50, again.Length);
        Assert.All(again, result => Assert.Equal(ProfileSyncOutcome.Updated, result.Outcome));
    }

    [Fact]
    public async Task Stop_DeletesTheDemoPeople()
    {
        var other = new Application();
        try
        {
            await other.InitializeAsync();
            var users = DemoPerson.Everybody.Select(person => other.Services.GetRequiredService<IGrainFactory>().GetGrain<IUserGrain>(person.Id)).ToArray();
            await Eventually.AsyncTrue("some people here", async () => (await PresencesAsync(users)).Count(one => one.Status != PresenceStatus.Offline) > 10);

            await other.Services.GetServices<IHostedService>().OfType<DemoPeople>().Single().StopAsync(CancellationToken.None);

            Assert.All(await PresencesAsync(users), one => Assert.Equal(PresenceStatus.Offline, one.Status));
        }
        finally
        {
            await other.DisposeAsync();
        }
    }

    [Fact]
    public void Switch_IsReadAsASetting_AndTakesNoValueFromTheNextArgument() =>
        Assert.Equal(["--Pulse:Demo=true", "--urls", "http://localhost:1"], DemoSetup.ReadSwitch(["--demo", "--urls", "http://localhost:1"]));

    private Task EveryoneAsync() => Eventually.AsyncTrue("everybody has been here", async () =>
        (await Task.WhenAll(DemoPerson.Everybody.Select(person => Grains.GetGrain<IUserGrain>(person.Id).GetPresenceAsync())))
            .All(presence => presence.Status != PresenceStatus.Offline || presence.LastSeenAt is not null));

    private static Task<PresenceSnapshot[]> PresencesAsync(IUserGrain[] users) => Task.WhenAll(users.Select(user => user.GetPresenceAsync()));
}
