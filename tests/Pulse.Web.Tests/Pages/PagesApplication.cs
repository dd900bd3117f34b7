using Microsoft.Playwright;

namespace Pulse.Web.Tests.Pages;

/// <summary>Pulse in Development on a real port, and a real Chromium that uses it.</summary>
public class PagesApplication : PulseApplication, IAsyncLifetime
{
    private static readonly string[] s_browserArguments =
        ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public PagesApplication() : this([])
    {
    }

    /// <param name="settings">Added to the usual ones.</param>
    private protected PagesApplication(IEnumerable<KeyValuePair<string, string>> settings)
        : base([
            new("Pulse:Auth:DevSignIn", "true"), new("Pulse:Mail:RequestsPerMinute", "1000"),
            // Tests of long conversations write them at once.
            new("Pulse:Chat:SendsPerSecond", "10000"), new("Pulse:Chat:SendsAtOnce", "10000"),
            .. settings])
    {
    }

    public new async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _playwright = await Playwright.CreateAsync();
        // Five seconds, the default, are too few while all cores are busy.
        Assertions.SetDefaultExpectTimeout(20_000);
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            // The machine's own browser, because Playwright's is a download.
            ExecutablePath = Environment.GetEnvironmentVariable("PULSE_TEST_CHROMIUM") is { Length: > 0 } path ? path : "/usr/bin/chromium",
            Args = s_browserArguments,
        });
    }

    public new async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>A browser of its own, which shares no cookies.</summary>
    /// <param name="scheme">Light or dark.</param>
    /// <param name="width">Of the window.</param>
    /// <param name="script">Whether scripts run.</param>
    /// <param name="address">Another server than this one.</param>
    /// <param name="language">Of the browser.</param>
    public async Task<Visitor> VisitAsync(
        ColorScheme scheme = ColorScheme.Light, int width = 1200, bool script = true, Uri? address = null, string? language = null) => await Visitor.OpenAsync(
        await _browser!.NewContextAsync(new()
        {
            BaseURL = (address ?? Address).ToString(),
            ColorScheme = scheme,
            Locale = language,
            JavaScriptEnabled = script,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = new() { Width = width, Height = 900 },
        }));
}

[CollectionDefinition(Name)]
public sealed class SharedPages : ICollectionFixture<PagesApplication>
{
    public const string Name = "Pages";
}

/// <summary>As <see cref="SharedPages"/>, for the rules of every page and the faults of the chat, so that the three collections take about as long as each other.</summary>
[CollectionDefinition(Name)]
public sealed class AllPages : ICollectionFixture<PagesApplication>
{
    public const string Name = "All pages";
}

/// <summary>As <see cref="SharedPages"/>, for the chat.</summary>
[CollectionDefinition(Name)]
public sealed class ChatPages : ICollectionFixture<PagesApplication>
{
    public const string Name = "Chat pages";
}
