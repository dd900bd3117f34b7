using System.Diagnostics;
using System.Text.Json;
using Microsoft.Playwright;
using Pulse.Grains.Tests;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Presence;
using Xunit.Abstractions;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>
/// The presence that others see of a user whose page is reloaded, left, closed, or stopped: with the dashboard in Chromium and a watcher at
/// the hub.
/// </summary>
[Collection(SharedPages.Name)]
public sealed class ReloadTests(PagesApplication pulse, ITestOutputHelper output)
{
    // PULSE_TEST_RELOADS sets more repetitions than a run of all tests has time for.
    private static readonly int s_times =
        int.TryParse(Environment.GetEnvironmentVariable("PULSE_TEST_RELOADS"), out var times) ? times : 10;

    [Fact]
    public Task ReloadsAndNavigations_KeepTheUserOnline() => Runs.OneOfThreePassesAsync(async () =>
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.SignInAsync("Ada");
        var ada = await IsOnlineAsync(visitor);
        var (watcher, before) = await WatchAsync(ada);
        await using var _ = watcher;

        // Each reload must end within the grace period of 10 s.
        for (var i = 0; i < s_times; i++)
        {
            await visitor.Page.ReloadAsync();
            await IsOnlineAsync(visitor);
        }

        for (var i = 0; i < s_times; i++)
        {
            // By links, as users do. The page in between has no connection.
            await visitor.Page.GotoAsync("/example");
            if (i % 2 == 0) await visitor.Page.GoBackAsync();
            else await visitor.Page.GotoAsync("/dashboard");
            await IsOnlineAsync(visitor);
        }

        var after = Assert.Single(await watcher.WatchAsync(ada));
        Assert.Equal("online", after.GetProperty("status").GetString());
        Assert.Equal(before.GetProperty("lastSeen").ToString(), after.GetProperty("lastSeen").ToString());
        Assert.Empty(watcher.StatusesOf(ada));
        Assert.Empty(visitor.Complaints);
    });

    [Fact]
    public Task ClosedTab_IsSeenAsOfflineAfterTheGracePeriod_LastSeenWhenItWasClosed() => Runs.OneOfThreePassesAsync(async () =>
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.SignInAsync("Ada");
        var ada = await IsOnlineAsync(visitor);
        await using var watcher = (await WatchAsync(ada)).Watcher;

        var closedAt = DateTimeOffset.UtcNow;
        var clock = Stopwatch.StartNew();
        await visitor.Page.CloseAsync();
        var closing = clock.Elapsed;
        var gone = await watcher.StatusAsync(ada, "offline");

        var seen = clock.Elapsed;
        output.WriteLine($"offline {seen.TotalSeconds:F1} s after the close, which took {closing.TotalMilliseconds:F0} ms; lastSeen {(gone.GetProperty("lastSeen").GetDateTimeOffset() - closedAt).TotalMilliseconds:F0} ms after it began");

        // The grace period is 10 s, and the silo checks once a second. The bound has one more second for a busy machine.
        Assert.InRange(seen, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(12) + closing);
        var lastSeen = gone.GetProperty("lastSeen").GetDateTimeOffset();
        Assert.InRange(lastSeen, closedAt.AddMilliseconds(-1), closedAt + closing + TimeSpan.FromSeconds(1));
    });

    [Fact]
    public Task SignOut_IsSeenAtOnce_AndForgetsTheStatus() => Runs.OneOfThreePassesAsync(async () =>
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.SignInAsync("Ada");
        var ada = await IsOnlineAsync(visitor);
        await using var watcher = (await WatchAsync(ada)).Watcher;
        await SetStatusAsync(visitor, "Busy");
        await watcher.StatusAsync(ada, "busy");
        Assert.NotEqual("", await StoredAsync(visitor));

        var clock = Stopwatch.StartNew();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).First.ClickAsync();
        await watcher.StatusAsync(ada, "offline");

        // Less than the grace period, which a sign-out does not wait for.
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(9));
        await visitor.Page.WaitForURLAsync(url => !url.Contains("/dashboard", StringComparison.Ordinal));
        Assert.Equal("", await StoredAsync(visitor));
    });

    [Fact]
    public async Task InvisibleUser_StaysInvisibleThroughReloads_AndTheFormSaysSo()
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.SignInAsync("Ada");
        var ada = await IsOnlineAsync(visitor);
        await SetStatusAsync(visitor, "Invisible");
        await Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Invisible");
        var (watcher, hidden) = await WatchAsync(ada);
        await using var _ = watcher;
        Assert.Equal("offline", hidden.GetProperty("status").GetString());

        for (var i = 0; i < 3; i++)
        {
            var socket = await visitor.Page.RunAndWaitForWebSocketAsync(() => visitor.Page.ReloadAsync());
            Assert.Contains("status=invisible", socket.Url, StringComparison.Ordinal);
            await Expect(visitor.Page.Locator("#presence")).ToHaveTextAsync("Invisible");
            await Expect(visitor.Page.GetByLabel("Show me as")).ToHaveValueAsync("invisible");
        }

        Assert.Empty(watcher.StatusesOf(ada));
        var after = Assert.Single(await watcher.WatchAsync(ada));
        Assert.Equal(hidden.GetProperty("lastSeen").ToString(), after.GetProperty("lastSeen").ToString());
    }

    [Fact]
    public async Task ReloadedPage_NamesItsFormerConnection_AndADuplicateOfTheTabDoesNot()
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.SignInAsync("Ada");
        await IsOnlineAsync(visitor);

        var socket = await visitor.Page.RunAndWaitForWebSocketAsync(() => visitor.Page.ReloadAsync());
        Assert.Contains("previous=", socket.Url, StringComparison.Ordinal);
        await IsOnlineAsync(visitor);

        // A page that a script opens begins with a copy of the tab's sessionStorage, as a duplicate does.
        var opened = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        visitor.Page.Context.Page += (_, page) => page.WebSocket += (_, ofDuplicate) => opened.TrySetResult(ofDuplicate.Url);
        await visitor.Page.EvaluateAsync("() => void sessionStorage.setItem('copied', 'yes')");
        var duplicate = await visitor.Page.RunAndWaitForPopupAsync(
            () => visitor.Page.EvaluateAsync("() => void window.open('/dashboard')"));
        await Expect(duplicate.Locator("#presence")).ToHaveTextAsync("Online");
        Assert.Equal("yes", await duplicate.EvaluateAsync<string>("() => sessionStorage.getItem('copied')"));
        Assert.DoesNotContain("previous=", await opened.Task.WaitAsync(TimeSpan.FromSeconds(30)), StringComparison.Ordinal);
    }

    private async Task<(HubClient Watcher, JsonElement Before)> WatchAsync(Guid userId)
    {
        var watcher = await HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7())));
        return (watcher, Assert.Single(await watcher.WatchAsync(userId)));
    }

    private static async Task<Guid> IsOnlineAsync(Visitor visitor)
    {
        await Expect(visitor.Page.Locator("#presence-note")).ToContainTextAsync("Connected.");
        return Guid.Parse((await visitor.Page.Locator("#presence").GetAttributeAsync("data-user"))!);
    }

    private static async Task SetStatusAsync(Visitor visitor, string label)
    {
        await visitor.Page.GetByLabel("Show me as").SelectOptionAsync(new SelectOptionValue { Label = label });
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Set status" }).ClickAsync();
        await Expect(visitor.Page.Locator("#status-note")).ToContainTextAsync("Set:");
    }

    /// <summary>The names of the client's entries in this browser's storage.</summary>
    private static Task<string> StoredAsync(Visitor visitor) =>
        visitor.Page.EvaluateAsync<string>("() => Object.keys(localStorage).filter(key => key.startsWith('pulse')).join()");
}
