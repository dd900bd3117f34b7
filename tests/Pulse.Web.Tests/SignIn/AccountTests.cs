using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Web;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Several accounts of one person: linked by e-mail, linked from the dashboard, and unlinked again.</summary>
[Collection(SharedSignIn.Name)]
public sealed partial class AccountTests(SignInFixture pulse) : IDisposable
{
    private readonly string _person = $"a{Guid.NewGuid():N}";
    private readonly Browser _browser = pulse.NewBrowser();

    private string Email => $"{_person}@gmail.com";

    public void Dispose() => _browser.Dispose();

    [Fact]
    public async Task SameEmail_VerifiedByBoth_IsOneUser()
    {
        await SignInByMailAsync(_browser);
        using var other = pulse.NewBrowser();
        await pulse.SignInAsync(other, _person);

        Assert.Equal(await _browser.WhoAmIAsync(), await other.WhoAmIAsync());
        Assert.Equal(["email", "google"], await ListAsync(other));
    }

    [Fact]
    public async Task SameEmail_UnverifiedByTheProvider_IsAnotherUser_AndCanBeLinkedFromTheDashboard()
    {
        await SignInByMailAsync(_browser);
        using var other = pulse.NewBrowser();
        await pulse.SignInAsync(other, "other" + _person, verified: false, email: Email);
        Assert.NotEqual(Assert.NotNull(await _browser.WhoAmIAsync()), Assert.NotNull(await other.WhoAmIAsync()));

        var callback = await pulse.ToCallbackAsync(_browser, _person, verified: false, start: await LinkAddressAsync(_browser));
        Assert.StartsWith("/dashboard", (await _browser.GetAsync(callback.AbsoluteUri)).Path, StringComparison.Ordinal);
        Assert.Equal(["email", "google"], await ListAsync(_browser));

        using var again = pulse.NewBrowser();
        await pulse.SignInAsync(again, _person, verified: false);
        Assert.Equal(await _browser.WhoAmIAsync(), Assert.NotNull(await again.WhoAmIAsync()));
    }

    [Fact]
    public async Task Link_OfAnotherUsersAccount_IsRefused()
    {
        using var owner = pulse.NewBrowser();
        await pulse.SignInAsync(owner, _person);
        await SignInByMailAsync(_browser, $"other.{Email}");

        var answer = await _browser.GetAsync((await pulse.ToCallbackAsync(_browser, _person, start: await LinkAddressAsync(_browser))).AbsoluteUri);

        Assert.Equal(HttpStatusCode.Conflict, answer.Status);
        Assert.Equal(["email"], await ListAsync(_browser));
        Assert.Equal(["google"], await ListAsync(owner));
    }

    [Fact]
    public async Task Link_BegunElsewhere_IsRefused()
    {
        await SignInByMailAsync(_browser);
        using var stranger = pulse.NewBrowser();
        await pulse.SignInAsync(stranger, "s" + _person);
        var link = await LinkAddressAsync(_browser);

        // A missing proof, a made-up one, the right one for another provider, and one of another user's dashboard.
        foreach (var start in new[] { "/auth/signin/google?link=true", "/auth/signin/google?link=true&proof=x", link.Replace("/google?", "/hostile?", StringComparison.Ordinal) })
            Assert.Equal(HttpStatusCode.BadRequest, (await _browser.GetAsync(start)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await stranger.GetAsync(link)).Status);

        using var nobody = pulse.NewBrowser();
        Assert.Equal("/signin?returnUrl=%2Fdashboard", (await nobody.GetAsync(link)).Path);
    }

    [Fact]
    public async Task Link_FinishedByAnotherUser_IsRefused()
    {
        await SignInByMailAsync(_browser);
        var callback = await pulse.ToCallbackAsync(_browser, _person, start: await LinkAddressAsync(_browser));

        // Another user of the same browser signs in before the answer arrives.
        await SignInByMailAsync(_browser, $"next.{Email}");
        Assert.Equal(HttpStatusCode.BadRequest, (await _browser.GetAsync(callback.AbsoluteUri)).Status);

        Assert.Equal(["email"], await ListAsync(_browser));
        Assert.Equal(0L, await pulse.QueryAsync($"SELECT count(*) FROM accounts WHERE provider_account_id = '{_person}'"));
    }

    [Fact]
    public async Task Unlink_AllButTheLast()
    {
        await SignInByMailAsync(_browser);
        using var other = pulse.NewBrowser();
        await pulse.SignInAsync(other, _person);

        Assert.Equal(HttpStatusCode.NotFound, await UnlinkAsync("hostile"));
        Assert.Equal(HttpStatusCode.NoContent, await UnlinkAsync("google"));
        Assert.Equal(HttpStatusCode.NotFound, await UnlinkAsync("google"));
        Assert.Equal(HttpStatusCode.Conflict, await UnlinkAsync("email"));
        Assert.Equal(["email"], await ListAsync(_browser));
    }

    [Fact]
    public async Task Unlink_BothAtOnce_LeavesOne()
    {
        await SignInByMailAsync(_browser);
        using var other = pulse.NewBrowser();
        await pulse.SignInAsync(other, _person);

        var user = await _browser.WhoAmIAsync();

        var outcomes = await Task.WhenAll(UnlinkAsync("google"), UnlinkAsync("email"));

        // The request that unlinks the mailbox ends this very session, and the other request may come after it.
        Assert.Single(outcomes, outcome => outcome == HttpStatusCode.NoContent);
        Assert.Single(outcomes, outcome => outcome is HttpStatusCode.Conflict or HttpStatusCode.Unauthorized);
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT count(*) FROM accounts WHERE user_id = '{user}'"));
    }

    [Fact]
    public async Task Accounts_NeedACaller()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await _browser.GetAsync("/auth/accounts")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, await UnlinkAsync("google"));
    }

    [Fact]
    public async Task ContinueAs_SignsInAsAnyUser_InDevelopment()
    {
        var answer = await _browser.PostAsync("/auth/signin/dev", ("email", Email), ("name", "Grace"), ("returnUrl", "/rooms"));
        Assert.Equal("/rooms", answer.Path);
        Assert.NotNull(await _browser.WhoAmIAsync());
        Assert.Equal(["dev"], await ListAsync(_browser));

        Assert.Equal(HttpStatusCode.BadRequest, (await _browser.PostAsync("/auth/signin/dev", ("email", "nobody"))).Status);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/signin/dev")
        {
            Content = new FormUrlEncodedContent([KeyValuePair.Create("email", Email)]),
            Headers = { { "Origin", "https://evil.example" } },
        };
        Assert.Equal(HttpStatusCode.Forbidden, (await _browser.SendAsync(request)).Status);
    }

    private async Task<Answer> SignInByMailAsync(Browser browser, string? email = null)
    {
        await browser.PostAsync("/auth/signin/email", ("email", email ?? Email));
        var mail = await pulse.Mailbox.NextAsync(email ?? Email);
        return await browser.SubmitAsync(await browser.GetAsync(Link().Match(mail.TextBody!).Value));
    }

    private static async Task<string[]> ListAsync(Browser browser) =>
        [.. JsonDocument.Parse((await browser.GetAsync("/auth/accounts")).Body).RootElement.EnumerateArray().Select(account => account.GetProperty("provider").GetString()!)];

    private async Task<HttpStatusCode> UnlinkAsync(string provider)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/auth/accounts/{provider}") { Headers = { { "Origin", pulse.Site.GetLeftPart(UriPartial.Authority) } } };
        return (await _browser.SendAsync(request)).Status;
    }

    // Reads the link that the dashboard has.
    private static async Task<string> LinkAddressAsync(Browser browser) =>
        HttpUtility.HtmlDecode(GoogleLink().Match((await browser.GetAsync("/dashboard")).Body).Groups[1].Value);

    [GeneratedRegex(@"href=""(/auth/signin/google\?[^""]*)""")]
    private static partial Regex GoogleLink();

    [GeneratedRegex(@"http://\S+")]
    private static partial Regex Link();
}
