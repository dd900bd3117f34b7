using Microsoft.Playwright;
using Pulse.Grains.Tests;
using Pulse.Web.Tests.Startup;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>Two browsers that talk while Pulse is killed and started again.</summary>
[Collection(ChatPages.Name)]
public sealed class ChatRestartTests(PagesApplication browsers) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pulse-chat-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task KilledServer_ShowsABanner_AndNothingIsLostDoubledOrOutOfOrder()
    {
        var address = new Uri($"http://127.0.0.1:{LowPort.Find()}");
        await using var killed = Start(address);
        await killed.AddressAsync();
        await using var ada = await ChatPerson.ArriveAsync(browsers, "Ada", address: address);
        await using var grace = await ChatPerson.ArriveAsync(browsers, "Grace", address: address);
        var group = await ada.StartGroupAsync("Restarts", grace);
        await ada.OpenAsync(group);
        await grace.OpenAsync(group);
        await ada.SayAsync("one");
        await grace.SeesAsync("one");

        killed.Kill();
        await killed.ExitAsync();
        await Expect(ada.Page.Locator(".banner")).ToContainTextAsync("The connection is lost", new() { Timeout = 60_000 });
        foreach (var text in new[] { "two", "three", "four" }) await ada.SayAsync(text);
        await Expect(ada.Page.Locator(".message.pending")).ToHaveCountAsync(3);
        await Screenshots.TakeAsync(ada.Page, "chat-offline-light");
        await EveryPageTests.AssertNoFindingAsync(ada.Page);
        // Pending messages survive a closed page too, which cannot be reloaded while the server is down.
        await using var restarted = Start(address);
        await restarted.AddressAsync();

        foreach (var person in new[] { ada, grace })
        {
            await Expect(person.Page.Locator(".banner")).ToHaveCountAsync(0, new() { Timeout = 60_000 });
            foreach (var text in new[] { "one", "two", "three", "four" }) await person.SeesAsync(text);
            Assert.Equal(["one", "two", "three", "four"], await person.TextsAsync());
        }

        await grace.SayAsync("five");
        await ada.SeesAsync("five");
        await ada.Page.ReloadAsync();
        await ada.SeesAsync("five");
        Assert.Equal(["one", "two", "three", "four", "five"], await ada.TextsAsync());
    }

    private PulseProcess Start(Uri address) => PulseProcess.Start(
        "Pulse.Web",
        _directory.FullName,
        [new("ASPNETCORE_URLS", address.GetLeftPart(UriPartial.Authority)), new("Pulse__Auth__DevSignIn", "true")]);
}
