using System.Net;
using System.Web;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Signing in with a certified OpenID provider, step by step, by correct browsers and others.</summary>
[Collection(SharedSignIn.Name)]
public sealed class OpenIdSignInTests(SignInFixture pulse)
{
    private readonly string _person = $"p{Guid.NewGuid():N}";

    [Fact]
    public async Task Challenge_HasStateNonceAndPkce_AndAsksForACodeInTheQuery()
    {
        using var browser = pulse.NewBrowser();
        var answer = await browser.GetAsync("/auth/signin/google?returnUrl=/rooms");

        Assert.Equal((HttpStatusCode.Redirect, pulse.GoogleUrl.Authority), (answer.Status, answer.Location!.Authority));
        var asked = HttpUtility.ParseQueryString(answer.Location.Query);
        Assert.Equal(("code", "S256", "pulse"), (asked["response_type"], asked["code_challenge_method"], asked["client_id"]));
        Assert.Equal($"{pulse.Site}auth/callback/google", asked["redirect_uri"]);
        Assert.Contains(asked["response_mode"], new[] { null, "query" });
        Assert.All([asked["state"], asked["nonce"], asked["code_challenge"]], value => Assert.False(string.IsNullOrEmpty(value)));
        Assert.DoesNotContain("rooms", asked["state"], StringComparison.Ordinal);

        var cookies = answer.Response.Headers.GetValues("Set-Cookie").ToArray();
        Assert.Equal(2, cookies.Length);
        Assert.All(cookies, cookie =>
        {
            Assert.Contains("path=/;", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
            // Over plain http a browser would drop such a cookie.
            Assert.DoesNotContain("secure", cookie, StringComparison.OrdinalIgnoreCase);
        });
    }

    // ARCHITECTURE.md, "The original system, part by part", row "NextAuth".
    [Fact]
    public async Task Challenge_AsksGoogleForIdentityAddressAndProfileOnly()
    {
        using var browser = pulse.NewBrowser();
        var answer = await browser.GetAsync("/auth/signin/google");

        var asked = HttpUtility.ParseQueryString(answer.Location!.Query);
        Assert.Equal("openid email profile", asked["scope"]);
        // Further permissions could also be asked for by these (Google's OAuth 2.0 parameters, OpenID Connect Core 1.0 section 5.5).
        Assert.All(["access_type", "include_granted_scopes", "claims", "request", "request_uri"], name => Assert.Null(asked[name]));
    }

    [Fact]
    public async Task SignIn_FirstTime_MakesUserAccountAndSession_AndNothingElse()
    {
        using var browser = pulse.NewBrowser();
        var callback = await pulse.ToCallbackAsync(browser, _person, start: "/auth/signin/google?returnUrl=%2Frooms%2F7");
        var answer = await browser.GetAsync(callback.AbsoluteUri);

        Assert.Equal("/rooms/7", answer.Path);
        var user = Assert.NotNull(await browser.WhoAmIAsync());
        Assert.Equal("Ada|1", await pulse.QueryAsync($"SELECT name || '|' || email_verified FROM users WHERE id = '{user}' AND email = '{_person}@gmail.com'"));
        Assert.Equal(1L, await pulse.QueryAsync(
            $"SELECT count(*) FROM accounts WHERE user_id = '{user}' AND provider = 'google' AND provider_account_id = '{_person}' AND type = 'oidc' "
            + "AND coalesce(access_token, refresh_token, id_token, token_type, scope) IS NULL"));
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT count(*) FROM sessions WHERE user_id = '{user}' AND length(session_token) = 32"));
        Assert.Equal(0L, await pulse.QueryAsync($"SELECT count(*) FROM verification_tokens WHERE identifier LIKE '{_person}%'"));

        // The cookies of the sign-in are deleted. Only those of the session and of forms are left.
        Assert.DoesNotContain(browser.Cookies.GetAllCookies(), cookie => cookie.Name.Contains("signin", StringComparison.Ordinal) || cookie.Name.Contains("nonce", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SignIn_InTwoBrowsers_IsOneUserAndTwoSessions()
    {
        using var first = pulse.NewBrowser();
        using var second = pulse.NewBrowser();
        await pulse.SignInAsync(first, _person);
        await pulse.SignInAsync(second, _person);

        var user = Assert.NotNull(await first.WhoAmIAsync());
        Assert.Equal(user, await second.WhoAmIAsync());
        Assert.Equal(2L, await pulse.QueryAsync($"SELECT count(*) FROM sessions WHERE user_id = '{user}'"));
    }

    [Theory]
    [InlineData("cross-site")]
    [InlineData("same-site")]
    public async Task SignIn_BegunByAnotherSite_WaitsForAButton(string site)
    {
        using var browser = pulse.NewBrowser();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/auth/signin/google?returnUrl=%2Frooms") { Headers = { { "Sec-Fetch-Site", site } } };
        var page = await browser.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Contains("Continue with Google?", page.Body, StringComparison.Ordinal);
        Assert.False(page.Response.Headers.Contains("Set-Cookie"));
        Assert.Equal(HttpStatusCode.Redirect, (await SignInFixture.ConsentAsync(browser, page)).Status);
    }

    [Fact]
    public async Task SignIn_WithALiveSession_ReplacesItOnlyAfterAButton()
    {
        using var browser = pulse.NewBrowser();
        await browser.PostAsync("/auth/signin/dev", ("email", $"dev{_person}@example.com"));
        var first = Assert.NotNull(await browser.WhoAmIAsync());

        var page = await browser.GetAsync("/auth/signin/google");
        Assert.Contains("that session ends", page.Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/auth/signin/google?consent=invented")).Status);
        Assert.Equal(first, await browser.WhoAmIAsync());

        await pulse.SignInAsync(browser, _person);
        Assert.NotEqual(first, Assert.NotNull(await browser.WhoAmIAsync()));
    }

    [Fact]
    public async Task SignIn_OvertakenByASession_KeepsThatSession()
    {
        using var browser = pulse.NewBrowser();
        var late = await pulse.ToCallbackAsync(browser, _person);
        await browser.PostAsync("/auth/signin/dev", ("email", $"dev{_person}@example.com"));
        var user = Assert.NotNull(await browser.WhoAmIAsync());

        var answer = await browser.GetAsync(late.AbsoluteUri);

        Assert.Equal(HttpStatusCode.Conflict, answer.Status);
        Assert.Contains("Sign out first", answer.Body, StringComparison.Ordinal);
        Assert.Equal(user, await browser.WhoAmIAsync());
    }

    [Fact]
    public async Task SignIn_AfterASignOut_AsksForTheAccount_AndForwardsTheHint()
    {
        using var browser = pulse.NewBrowser();
        await browser.PostAsync("/auth/signin/dev", ("email", $"dev{_person}@example.com"));
        var dashboard = await browser.GetAsync("/dashboard");
        Assert.Equal("", AskedOf(await SignInFixture.ConsentAsync(browser, await browser.GetAsync("/auth/signin/google")), "prompt"));
        await browser.SubmitAsync(dashboard with { Body = dashboard.Body[..dashboard.Body.IndexOf("</form>", StringComparison.Ordinal)] });
        Assert.Null(await browser.WhoAmIAsync());

        var challenge = await browser.GetAsync("/auth/signin/google?login_hint=ada%40example.com");
        Assert.Equal(("select_account", "ada@example.com"), (AskedOf(challenge, "prompt"), AskedOf(challenge, "login_hint")));

        await pulse.SignInAsync(browser, _person);
        Assert.Equal("", AskedOf(await SignInFixture.ConsentAsync(browser, await browser.GetAsync("/auth/signin/google")), "prompt"));

        static string AskedOf(Answer challenge, string name) => HttpUtility.ParseQueryString(challenge.Location!.Query)[name] ?? "";
    }

    [Fact]
    public async Task AbandonedSignIns_LeaveAtMostTenPairsOfCookies()
    {
        using var browser = pulse.NewBrowser();
        for (var begun = 0; begun < 15; begun++) await browser.GetAsync("/auth/signin/google");

        var names = browser.Cookies.GetAllCookies().Select(cookie => cookie.Name).ToArray();
        Assert.Equal(10, names.Count(name => name.StartsWith("pulse.signin.", StringComparison.Ordinal)));
        Assert.Equal(10, names.Count(name => name.StartsWith("pulse.nonce.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("https://evil.example")]
    [InlineData("/\\evil.example")]
    public async Task SignIn_WithAReturnUrlElsewhere_EndsOnTheDashboard(string returnUrl)
    {
        using var browser = pulse.NewBrowser();
        var callback = await pulse.ToCallbackAsync(browser, _person, start: $"/auth/signin/google?returnUrl={Uri.EscapeDataString(returnUrl)}");
        Assert.Equal("/dashboard", (await browser.GetAsync(callback.AbsoluteUri)).Path);
    }

    [Fact]
    public async Task Callback_Twice_SignsInOnce()
    {
        using var browser = pulse.NewBrowser();
        var callback = await pulse.ToCallbackAsync(browser, _person);
        await browser.GetAsync(callback.AbsoluteUri);

        await AssertRefusedAsync(browser, callback.AbsoluteUri);
    }

    [Fact]
    public async Task Callback_InAnotherBrowser_IsRefused_AndStillWorksInTheFirst()
    {
        using var browser = pulse.NewBrowser();
        using var other = pulse.NewBrowser();
        var callback = await pulse.ToCallbackAsync(browser, _person);

        await AssertRefusedAsync(other, callback.AbsoluteUri);
        Assert.Null(await other.WhoAmIAsync());
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync(callback.AbsoluteUri)).Status);
    }

    [Fact]
    public async Task Callback_WithTheStateOfAnotherSignIn_IsRefused()
    {
        using var browser = pulse.NewBrowser();
        using var other = pulse.NewBrowser();
        var (own, others) = (await pulse.ToCallbackAsync(browser, _person), await pulse.ToCallbackAsync(other, "other" + _person));

        // Login CSRF (RFC 6749 section 10.12): the other's code in this browser, with either state.
        await AssertRefusedAsync(browser, With(others, "state", HttpUtility.ParseQueryString(others.Query)["state"]));
        await AssertRefusedAsync(browser, With(own, "code", HttpUtility.ParseQueryString(others.Query)["code"]));
        Assert.Null(await browser.WhoAmIAsync());
    }

    [Fact]
    public async Task Callback_WithACodeThatWasUsed_IsRefused()
    {
        using var browser = pulse.NewBrowser();
        var first = await pulse.ToCallbackAsync(browser, _person);
        await browser.GetAsync(first.AbsoluteUri);

        using var second = pulse.NewBrowser();
        var own = await pulse.ToCallbackAsync(second, _person);
        await AssertRefusedAsync(second, With(own, "code", HttpUtility.ParseQueryString(first.Query)["code"]));
    }

    [Theory]
    [InlineData("state", null)]
    [InlineData("state", "")]
    [InlineData("state", "rubbish")]
    [InlineData("code", null)]
    [InlineData("code", "")]
    [InlineData("code", "rubbish")]
    [InlineData("iss", null)]
    [InlineData("iss", "https://evil.example")]
    public async Task Callback_WithAParameterChanged_IsRefused(string parameter, string? value)
    {
        using var browser = pulse.NewBrowser();
        var callback = await pulse.ToCallbackAsync(browser, _person);

        await AssertRefusedAsync(browser, With(callback, parameter, value));
        Assert.Null(await browser.WhoAmIAsync());
        Assert.Equal(0L, await pulse.QueryAsync($"SELECT count(*) FROM accounts WHERE provider_account_id = '{_person}'"));
    }

    [Theory]
    [InlineData("/auth/callback/google")]
    [InlineData("/auth/callback/google?error=server_error")]
    [InlineData("/auth/callback/google?error=access_denied")]
    [InlineData("/auth/callback/google?id_token=x&state=y")]
    [InlineData("/auth/callback/google?code=a&code=b&state=c&state=d")]
    public async Task Callback_WithoutASignIn_IsRefused(string url)
    {
        using var browser = pulse.NewBrowser();
        await AssertRefusedAsync(browser, url);
    }

    [Fact]
    public async Task Callback_AtAnotherProvider_IsRefused()
    {
        using var browser = pulse.NewBrowser();
        var callback = await SignInFixture.ToHostileCallbackAsync(browser);
        var elsewhere = callback.AbsoluteUri.Replace("/callback/hostile", "/callback/second", StringComparison.Ordinal);

        // Even with its own cookies: the cookie container keeps them by path, so they are copied by hand.
        using var carrying = pulse.NewBrowser();
        foreach (Cookie cookie in browser.Cookies.GetCookies(callback))
            carrying.Cookies.Add(new Uri(elsewhere), new Cookie(cookie.Name.Replace("hostile", "second", StringComparison.Ordinal), cookie.Value));
        await AssertRefusedAsync(carrying, elsewhere);
        Assert.Null(await carrying.WhoAmIAsync());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("another-verifier-that-is-long-enough-to-be-one-00")]
    public async Task Code_WithoutItsVerifier_IsRefused(string? verifier)
    {
        // An attacker that has intercepted the callback's address, and even knows the client's secret (RFC 7636 section 1).
        using var browser = pulse.NewBrowser();
        var callback = await pulse.ToCallbackAsync(browser, _person);
        using var thief = new HttpClient();
        var fields = new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["code"] = HttpUtility.ParseQueryString(callback.Query)["code"]!,
            ["redirect_uri"] = callback.GetLeftPart(UriPartial.Path),
            ["client_id"] = "pulse",
            ["client_secret"] = "google-secret",
        };
        if (verifier is not null) fields["code_verifier"] = verifier;
        using var answer = await thief.PostAsync(new Uri(pulse.GoogleUrl, "/token"), new FormUrlEncodedContent(fields));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("invalid_grant", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancel_ShowsAMessage_AndALaterSignInWorks()
    {
        using var browser = pulse.NewBrowser();
        var answer = await browser.GetAsync((await pulse.CancelAsync(browser)).AbsoluteUri);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains("You cancelled", answer.Body, StringComparison.Ordinal);
        Assert.Contains("href=\"/signin\"", answer.Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await pulse.SignInAsync(browser, _person)).Status);
    }

    [Theory]
    [InlineData("/auth/signin/nobody")]
    [InlineData("/auth/signin/Google")]
    [InlineData("/auth/signin/dev")]
    [InlineData("/auth/callback/nobody?code=x&state=y")]
    public async Task UnknownProvider_Is404(string url)
    {
        using var browser = pulse.NewBrowser();
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync(url)).Status);
    }

    private static async Task AssertRefusedAsync(Browser browser, string url)
    {
        var answer = await browser.GetAsync(url);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains("text/html", answer.Response.Content.Headers.ContentType!.ToString(), StringComparison.Ordinal);
        Assert.Contains("href=\"/signin\"", answer.Body, StringComparison.Ordinal);
    }

    private static string With(Uri url, string parameter, string? value)
    {
        var query = HttpUtility.ParseQueryString(url.Query);
        if (value is null) query.Remove(parameter);
        else query[parameter] = value;
        return new UriBuilder(url) { Query = query.ToString() }.Uri.AbsoluteUri;
    }
}
