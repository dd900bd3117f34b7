using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Playwright;
using Pulse.Web.Http;
using Pulse.Web.SignIn;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.SignIn;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>Pulse below a path of an origin that it shares with another application, behind a proxy that keeps the path.</summary>
public sealed class PathBaseTests(PathBaseTests.Application pulse) : IClassFixture<PathBaseTests.Application>
{
    public sealed class Application : PagesApplication
    {
        private readonly HostileProvider _provider;

        public Application() : this(HostileProvider.StartAsync().GetAwaiter().GetResult())
        {
        }

        private Application(HostileProvider provider) : base([
            new("Pulse:Http:PathBase", "/pulse"),
            new("Pulse:Auth:Providers:lab:ClientId", HostileProvider.ClientId),
            new("Pulse:Auth:Providers:lab:ClientSecret", HostileProvider.ClientSecret),
            new("Pulse:Auth:Providers:lab:Authority", provider.Url)]) => _provider = provider;

        /// <summary>Requests that a proxy would have passed to the other application.</summary>
        internal ConcurrentQueue<string> Elsewhere { get; } = new();

        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IStartupFilter>(new Proxy(Elsewhere));

        // Outermost, so that it sees the path of the wire.
        private sealed class Proxy(ConcurrentQueue<string> elsewhere) : IStartupFilter
        {
            public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
            {
                app.Use((context, rest) =>
                {
                    if (context.Request.Path.StartsWithSegments("/pulse") || context.Request.Path == "/health/live") return rest(context);
                    elsewhere.Enqueue($"{context.Request.Method} {context.Request.Path}");
                    context.Response.StatusCode = StatusCodes.Status404NotFound;
                    return context.Response.WriteAsync("the other application");
                });
                next(app);
            };
        }
    }

    [Fact]
    public async Task Person_SignsInByMail_IsLive_SavesAndSignsOut_BelowTheBase()
    {
        await using var ada = await pulse.VisitAsync();
        await ada.Page.GotoAsync("/pulse/dashboard");
        await ada.ArriveAsync("/pulse/signin?returnUrl=%2Fpulse%2Fdashboard");

        await ada.Page.GetByLabel("E-mail", new() { Exact = true }).FillAsync($"{Guid.NewGuid():N}@example.com");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Send me a link" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Link, new() { Name = "Show the mail" }).ClickAsync();
        await ada.ArriveAsync("/pulse/dev/mail");
        await ada.Page.GetByRole(AriaRole.Link, new() { Name = "Open the link" }).First.ClickAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await ada.ArriveAsync("/pulse/dashboard");

        await Expect(ada.Page.Locator("#presence")).ToHaveTextAsync("Online");
        await ada.Page.GetByText("Edit name and picture").ClickAsync();
        await ada.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Ada below");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(ada.Page.GetByRole(AriaRole.Heading, new() { Name = "Hello, Ada below" })).ToBeVisibleAsync();

        // The header that clears the browser's data is left out here. The dashboard has no client of the chat.
        await ChatAsync(ada);
        await ada.Page.GotoAsync("/pulse/dashboard");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();
        await ada.ArriveAsync("/pulse/signin");
        await Eventually.AsyncTrue("the data of the user is deleted", async () => (await StoredAsync(ada)).Length == 0);

        // A person on the way to the other application arrives there.
        await ada.Page.GotoAsync("/pulse/signin?returnUrl=%2Frooms%2F1");
        Assert.Empty(pulse.Elsewhere);
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Grace Hopper" }).ClickAsync();
        await ada.ArriveAsync("/rooms/1");
        await Expect(ada.Page.GetByText("the other application")).ToBeVisibleAsync();
        Assert.Equal("GET /rooms/1", pulse.Elsewhere.First());

        // Grace deletes her account, the first time with a mistake.
        await ChatAsync(ada);
        foreach (var (typed, page) in new[] { ("ada@example.com", "/pulse/dashboard?done=not-erased"), ("grace@example.com", "/pulse/") })
        {
            Assert.Contains(await StoredAsync(ada), key => key.EndsWith(" inbox", StringComparison.Ordinal));
            await ada.Page.GotoAsync("/pulse/dashboard");
            await ada.Page.GetByText("Delete your account").ClickAsync();
            await ada.Page.GetByLabel("To confirm").FillAsync(typed);
            await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Delete my account" }).ClickAsync();
            await ada.ArriveAsync(page);
        }

        await Eventually.AsyncTrue("the data of the user is deleted", async () => (await StoredAsync(ada)).Length == 0);
        Assert.DoesNotContain(ada.Complaints, complaint => complaint.Contains("/pulse/", StringComparison.Ordinal));
    }

    /// <summary>Leaves data of each kind in the browser: a conversation, a draft, and the user's status.</summary>
    private static async Task ChatAsync(Visitor visitor)
    {
        await visitor.Page.GotoAsync("/pulse/chat");
        var created = await visitor.Page.EvaluateAsync<JsonElement>(
            """
            () => fetch('/pulse/conversations', {
              method: 'POST',
              headers: { 'Content-Type': 'application/json' },
              body: JSON.stringify({ kind: 'group', title: 'Below', members: [], clientId: crypto.randomUUID() }),
            }).then(answer => answer.json())
            """);
        await visitor.Page.GotoAsync($"/pulse/chat#{created.GetProperty("id").GetString()}");
        await visitor.Page.Locator(".composer textarea").FillAsync("half a thought");
        await Eventually.AsyncTrue("the page has stored its data", async () =>
        {
            var keys = await StoredAsync(visitor);
            return Array.Exists(keys, key => key.EndsWith(" inbox", StringComparison.Ordinal)) && Array.Exists(keys, key => key.StartsWith("pulse-chat-draft:", StringComparison.Ordinal))
                && Array.Exists(keys, key => key.EndsWith(" user", StringComparison.Ordinal));
        });
    }

    /// <summary>The keys of the browser's data, except those of the tab.</summary>
    private static async Task<string[]> StoredAsync(Visitor visitor) =>
        [.. await visitor.ChatKeysAsync(), .. await visitor.Page.EvaluateAsync<string[]>("Object.keys(localStorage)")];

    [Fact]
    public async Task Provider_SendsBackBelowTheBase()
    {
        using var browser = new Browser(pulse.Address);
        var challenge = await browser.GetAsync("/pulse/auth/signin/lab");
        Assert.Contains("%2Fpulse%2Fauth%2Fcallback%2Flab&", challenge.Location!.Query, StringComparison.Ordinal);

        var callback = (await browser.GetAsync(challenge.Location.AbsoluteUri)).Location!;
        Assert.Equal("/pulse/auth/callback/lab", callback.AbsolutePath);
        Assert.Equal("/pulse/dashboard", (await browser.GetAsync(callback.AbsoluteUri)).Path);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/pulse/auth/me")).Status);
    }

    [Fact]
    public async Task Answers_NameAddressesBelowTheBase_AndCookiesAreForTheWholeOrigin()
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims(email: $"{Guid.NewGuid():N}@example.com")));
        using var created = await client.PostJsonAsync("/pulse/auth/sync", null);
        using var page = await pulse.Anonymous.GetAsync("/pulse/signin");
        using var direct = await pulse.Anonymous.GetAsync("/health/live");
        var manifest = JsonDocument.Parse(await pulse.Anonymous.GetStringAsync("/pulse/manifest.webmanifest")).RootElement;

        Assert.Contains("<link rel=\"manifest\" href=\"/pulse/manifest.webmanifest\"", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(("/pulse/chat", "/pulse/"), (manifest.GetProperty("start_url").GetString(), manifest.GetProperty("scope").GetString()));
        Assert.All(manifest.GetProperty("icons").EnumerateArray(), icon => Assert.StartsWith("/pulse/", icon.GetProperty("src").GetString(), StringComparison.Ordinal));
        Assert.StartsWith("/pulse/users/", created.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.All(page.Headers.GetValues("Set-Cookie"), cookie => Assert.Contains("; path=/;", cookie, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, direct.StatusCode);
    }

    [Theory]
    [InlineData("/pulse/rooms", "/pulse/rooms")]
    [InlineData("/rooms", "/rooms")]
    [InlineData("/pulse/auth/signin/lab", "/pulse/dashboard")]
    [InlineData("/auth/signin/lab", "/pulse/dashboard")]
    [InlineData("https://evil.example", "/pulse/dashboard")]
    public void ReturnUrl_IsTheBrowsersPath(string url, string expected) => Assert.Equal(expected, ReturnUrl.OrDashboard(url, "/pulse"));

    [Theory]
    [InlineData("", true)]
    [InlineData("/pulse", true)]
    [InlineData("/apps/pulse-1", true)]
    [InlineData("/", false)]
    [InlineData("pulse", false)]
    [InlineData("/pulse/", false)]
    [InlineData("//pulse", false)]
    [InlineData("/pulse/..", false)]
    [InlineData("/pu lse", false)]
    [InlineData("/pulse?x", false)]
    [InlineData("/pulse\n", false)]
    public void PathBase_IsAPlainPath(string path, bool isValid) =>
        Assert.Equal(isValid, new PathOptionsValidator().Validate(null, new() { PathBase = path }) == ValidateOptionsResult.Success);

    [Theory]
    [InlineData("https://pulse.example", "/pulse", true)]
    [InlineData("https://pulse.example/pulse", "/pulse", true)]
    [InlineData("https://pulse.example/pulse/", "/pulse", true)]
    [InlineData("https://pulse.example/other", "/pulse", false)]
    [InlineData("https://pulse.example/pulse", null, false)]
    public void PublicUrl_AgreesWithThePathBase(string url, string? path, bool isValid)
    {
        var configuration = new Microsoft.Extensions.Configuration.ConfigurationManager { ["Pulse:Http:PathBase"] = path };
        var environment = new Microsoft.Extensions.Hosting.Internal.HostingEnvironment { EnvironmentName = "Production" };

        Assert.Equal(isValid, new SiteOptionsValidator(environment, configuration).Validate(null, new() { PublicUrl = url }) == ValidateOptionsResult.Success);
    }
}
