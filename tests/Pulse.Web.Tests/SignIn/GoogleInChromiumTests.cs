using System.Buffers.Text;
using System.Security.Cryptography;
using System.Web;
using Microsoft.Playwright;
using Pulse.Web.Tests.Pages;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.SignIn;

/// <summary>The complete sign-in with Google (played by a certified provider) in a real Chromium, and its rows in the database.</summary>
/// <remarks>Each test has a Pulse of its own, so that its tables contain only that test's rows.</remarks>
public sealed class GoogleInChromiumTests : IAsyncLifetime
{
    private const string ClientSecret = "google-client-secret";
    private const string Sub = "110169484474386276334";
    private const string Email = "ada@gmail.example";
    private const string Name = "Ada King";

    // A session cookie is the user's id and the secret: SessionSecret.
    private const int UserIdBytes = 16;

    private NodeServer _google = null!;
    private Application? _pulse;
    private Uri _googleUrl = null!;

    public async Task InitializeAsync()
    {
        (_google, var first) = await NodeServer.StartAsync("provider.mjs", "pulse", ClientSecret, "/auth/callback/google");
        _googleUrl = new(first.GetProperty("url").GetString()!);
        _pulse = new Application(_googleUrl);
        await _pulse.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        if (_pulse is not null) await _pulse.DisposeAsync();
        if (_google is not null) await _google.DisposeAsync();
    }

    [Fact]
    public async Task SignInAndOut_ShowsThePersonOnline_AndStoresTheAccountWithoutSecrets()
    {
        await using var visitor = await _pulse!.VisitAsync();
        var page = visitor.Page;
        await GoToGoogleAsync(page);
        await page.GetByLabel("sub").FillAsync(Sub);
        await page.GetByLabel("email", new() { Exact = true }).FillAsync(Email);
        await page.GetByLabel("email_verified").FillAsync("true");
        await page.GetByLabel("name").FillAsync(Name);
        var callback = await page.RunAndWaitForRequestAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync(),
            request => new Uri(request.Url).AbsolutePath == "/auth/callback/google");

        await visitor.ArriveAsync("/dashboard");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = $"Hello, {Name}" })).ToBeVisibleAsync();
        await Expect(page.GetByText(Email).First).ToBeVisibleAsync();
        await Expect(page.Locator("#presence")).ToHaveTextAsync("Online");
        await Expect(page.Locator("#presence")).ToHaveAttributeAsync("data-state", "online");
        await Expect(page.Locator("#presence-note")).ToContainTextAsync("Connected");

        var cookie = Assert.Single(await page.Context.CookiesAsync([_pulse.Address.AbsoluteUri]), cookie => cookie.Name == "pulse");
        Assert.True(cookie.HttpOnly);
        var secret = Base64Url.DecodeFromChars(cookie.Value)[UserIdBytes..];
        var tokens = (await _google.NextAsync()).GetProperty("issued");
        var answer = HttpUtility.ParseQueryString(new Uri(callback.Url).Query);
        string[] secrets =
        [
            cookie.Value, ClientSecret, answer["code"]!, answer["state"]!,
            tokens.GetProperty("access_token").GetString()!, tokens.GetProperty("id_token").GetString()!,
        ];

        var signedIn = await StoredRows.ReadAsync(_pulse.DataDirectory);
        var user = AssertIsThePerson(signedIn);
        var session = Assert.Single(signedIn["sessions"]);
        Assert.Equal(user, session["user_id"]);
        var hash = SHA256.HashData(secret);
        Assert.Equal(hash, session["session_token"]);
        Assert.Equal(["sessions.session_token"], signedIn.ColumnsWith(hash));
        AssertHasNone(signedIn, secret, secrets);

        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Sign in" })).ToBeVisibleAsync();
        Assert.DoesNotContain(await page.Context.CookiesAsync([_pulse.Address.AbsoluteUri]), cookie => cookie.Name == "pulse");
        await page.GotoAsync("/dashboard");
        await visitor.ArriveAsync("/signin?returnUrl=%2Fdashboard");

        var signedOut = await StoredRows.ReadAsync(_pulse.DataDirectory);
        Assert.Equal(user, AssertIsThePerson(signedOut));
        Assert.Empty(signedOut["sessions"]);
        AssertHasNone(signedOut, secret, secrets);
        // The content security policy allowed all of it.
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task Cancel_AtGoogle_ShowsAMessage_AndStoresNothing()
    {
        await using var visitor = await _pulse!.VisitAsync();
        var page = visitor.Page;
        await GoToGoogleAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "You cancelled" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Back to sign-in" }).ClickAsync();
        await visitor.ArriveAsync("/signin");
        await Expect(GoogleButton(page)).ToBeVisibleAsync();

        Assert.DoesNotContain(await page.Context.CookiesAsync([_pulse.Address.AbsoluteUri]), cookie => cookie.Name == "pulse");
        var rows = await StoredRows.ReadAsync(_pulse.DataDirectory);
        Assert.All(["users", "accounts", "sessions", "verification_tokens"], table => Assert.Empty(rows[table]));
        Assert.Empty(visitor.Complaints);
    }

    private async Task GoToGoogleAsync(IPage page)
    {
        await page.GotoAsync("/");
        await page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await GoogleButton(page).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Who are you?" })).ToBeVisibleAsync();
        Assert.Equal(_googleUrl.Authority, new Uri(page.Url).Authority);
    }

    private static ILocator GoogleButton(IPage page) => page.GetByRole(AriaRole.Link, new() { Name = "Continue with Google" });

    // The rows hold one user with Google's account, and are free of Google's tokens. Returns the user's id.
    private static object? AssertIsThePerson(StoredRows rows)
    {
        var user = Assert.Single(rows["users"]);
        Assert.Equal((Email, Name, 1L), (user["email"], user["name"], user["email_verified"]));
        var account = Assert.Single(rows["accounts"]);
        Assert.Equal((user["id"], "oidc", "google", Sub), (account["user_id"], account["type"], account["provider"], account["provider_account_id"]));
        Assert.All(
            ["access_token", "refresh_token", "id_token", "token_type", "scope", "expires_at"],
            column => Assert.Null(account[column]));
        Assert.Empty(rows["verification_tokens"]);
        return user["id"];
    }

    private static void AssertHasNone(StoredRows rows, byte[] sessionSecret, string[] secrets)
    {
        // The search includes the state of grains, and finds existing values.
        Assert.Contains("OrleansStorage", rows.Tables);
        Assert.Equal(["accounts.email", "users.email"], rows.ColumnsWith(Email).Order());

        Assert.Empty(rows.ColumnsWith(sessionSecret));
        Assert.All(secrets, secret => Assert.Empty(rows.ColumnsWith(secret)));
    }

    private sealed class Application(Uri google) : PagesApplication([
        new("Pulse:Auth:Google:ClientId", "pulse"),
        new("Pulse:Auth:Google:ClientSecret", ClientSecret),
        new("Pulse:Auth:Google:Authority", google.OriginalString),
    ]);
}
