using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using MimeKit;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Signing in by a link in a mail, which a real SMTP server has taken.</summary>
[Collection(SharedSignIn.Name)]
public sealed partial class EmailSignInTests(SignInFixture pulse) : IDisposable
{
    private readonly string _email = $"m{Guid.NewGuid():N}@example.com";
    private readonly Browser _browser = pulse.NewBrowser();

    public void Dispose() => _browser.Dispose();

    [Fact]
    public async Task Link_FromTheMail_SignsInOnce()
    {
        var answer = await _browser.PostAsync("/auth/signin/email", ("email", _email.ToUpperInvariant()), ("returnUrl", "/rooms?x=1"));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Contains(_email, answer.Body, StringComparison.Ordinal);

        var mail = await pulse.Mailbox.NextAsync();
        var link = LinkIn(mail);
        Assert.Equal(_email, Assert.Single(mail.To.Mailboxes).Address);
        Assert.Equal(("pulse@example.com", "auto-generated"), (Assert.Single(mail.From.Mailboxes).Address, mail.Headers[HeaderId.AutoSubmitted]));
        Assert.Contains(WebUtility.HtmlEncode(link), mail.HtmlBody, StringComparison.Ordinal);
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT count(*) FROM verification_tokens WHERE identifier = '{_email}' AND length(token) = 32"));

        // A scanner opens it first, many times; then its owner, in another browser than asked for it.
        using var owner = pulse.NewBrowser();
        for (var opened = 0; opened < 3; opened++) Assert.Equal(HttpStatusCode.OK, (await _browser.GetAsync(link)).Status);
        var landing = await owner.GetAsync(link);
        Assert.Null(await owner.WhoAmIAsync());
        Assert.Equal("/rooms?x=1", (await owner.SubmitAsync(landing)).Path);

        var user = Assert.NotNull(await owner.WhoAmIAsync());
        Assert.Null(await _browser.WhoAmIAsync());
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT email_verified FROM users WHERE id = '{user}' AND email = '{_email}'"));
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT count(*) FROM accounts WHERE user_id = '{user}' AND provider = 'email' AND provider_account_id = '{_email}' AND type = 'email'"));
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT count(*) FROM sessions WHERE user_id = '{user}'"));
        Assert.Equal(0L, await pulse.QueryAsync($"SELECT count(*) FROM verification_tokens WHERE identifier = '{_email}'"));

        // Used: opened again, confirmed again.
        using var late = pulse.NewBrowser();
        Assert.Equal(HttpStatusCode.Gone, (await late.GetAsync(link)).Status);
        var again = await owner.SubmitAsync(await SubstituteAsync(owner, landing));
        Assert.Equal(HttpStatusCode.Gone, again.Status);
        Assert.Contains("href=\"/signin\"", again.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Link_ConfirmedByTenAtOnce_SignsInOne()
    {
        var link = await AskAsync();
        var browsers = Enumerable.Range(0, 10).Select(_ => pulse.NewBrowser()).ToArray();
        var pages = await Task.WhenAll(browsers.Select(browser => browser.GetAsync(link)));

        var answers = await Task.WhenAll(browsers.Select((browser, at) => browser.SubmitAsync(pages[at])));

        Assert.Single(answers, answer => answer.Status == HttpStatusCode.SeeOther);
        Assert.Equal(9, answers.Count(answer => answer.Status == HttpStatusCode.Gone));
        foreach (var browser in browsers) browser.Dispose();
    }

    [Fact]
    public async Task Link_Changed_IsRefused()
    {
        var link = await AskAsync();
        var at = link.IndexOf("token=", StringComparison.Ordinal) + "token=".Length;
        var changed = link[..at] + (link[at] == 'A' ? 'B' : 'A') + link[(at + 1)..];

        Assert.Equal(HttpStatusCode.Gone, (await _browser.GetAsync(changed)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await _browser.GetAsync(link[..(at + 20)])).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await _browser.GetAsync("/auth/callback/email")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await _browser.GetAsync("/auth/callback/email?token=" + new string('é', 43))).Status);
        Assert.Equal(HttpStatusCode.OK, (await _browser.GetAsync(link)).Status);
    }

    [Fact]
    public async Task Link_LedElsewhere_EndsOnTheDashboard()
    {
        var link = await AskAsync();
        var page = await _browser.GetAsync(link[..link.IndexOf("&returnUrl", StringComparison.Ordinal)] + "&returnUrl=https%3A%2F%2Fevil.example");
        Assert.DoesNotContain("evil.example", page.Body, StringComparison.Ordinal);
        Assert.Equal("/dashboard", (await _browser.SubmitAsync(page)).Path);
    }

    [Fact]
    public async Task Link_OfAnotherPerson_SaysWhomItSignsIn_AndWhoGoes()
    {
        const string Warning = "You are signed in here as somebody else";
        var own = await AskAsync();
        var page = await _browser.GetAsync(own);
        Assert.Contains($"<strong>{_email}</strong>", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(Warning, page.Body, StringComparison.Ordinal);
        await _browser.SubmitAsync(page);

        Assert.DoesNotContain(Warning, (await _browser.GetAsync(await AskAsync())).Body, StringComparison.Ordinal);

        // Eve asks for a link for herself, and sends it to somebody who is signed in.
        var eve = $"eve{_email}";
        await _browser.PostAsync("/auth/signin/email", ("email", eve));
        page = await _browser.GetAsync(LinkIn(await pulse.Mailbox.NextAsync()));
        Assert.Contains($"<strong>{eve}</strong>", page.Body, StringComparison.Ordinal);
        Assert.Contains(Warning, page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Confirm_WithoutTheForm_IsRefused_AndUsesNothingUp()
    {
        var link = await AskAsync();
        var token = System.Web.HttpUtility.ParseQueryString(new Uri(link).Query)["token"]!;

        // Another site's form, which would sign its victim in as somebody else.
        Assert.Equal(HttpStatusCode.Forbidden, (await _browser.PostAsync("/auth/callback/email", ("token", token))).Status);
        Assert.Equal(HttpStatusCode.OK, (await _browser.GetAsync(link)).Status);
    }

    [Fact]
    public async Task Ask_ForAKnownAddress_AnswersAsForAnUnknownOne()
    {
        await _browser.SubmitAsync(await _browser.GetAsync(await AskAsync()));
        var unknown = "u" + _email;

        var answers = new List<string>();
        foreach (var email in new[] { _email, unknown })
        {
            using var stranger = pulse.NewBrowser();
            var answer = await stranger.PostAsync("/auth/signin/email", ("email", email));
            answers.Add($"{answer.Status} {answer.Body.Replace(email, "them", StringComparison.Ordinal)}");
            await pulse.Mailbox.NextAsync();
        }

        Assert.Equal(answers[0], answers[1]);
        Assert.Equal(0L, await pulse.QueryAsync($"SELECT count(*) FROM users WHERE email = '{unknown}'"));
    }

    [Fact]
    public async Task Ask_MoreThanThreeTimes_AnswersTheSame_AndSendsThree()
    {
        var bodies = new List<string>();
        for (var asked = 0; asked < 5; asked++) bodies.Add((await _browser.PostAsync("/auth/signin/email", ("email", _email))).Body);

        Assert.Single(bodies.Distinct());
        for (var sent = 0; sent < 3; sent++) await pulse.Mailbox.NextAsync();
        await AssertNoMoreMailAsync();
        Assert.Equal(3L, await pulse.QueryAsync($"SELECT count(*) FROM verification_tokens WHERE identifier = '{_email}'"));
    }

    [Fact]
    public async Task Ask_AsJson_Is202()
    {
        using var client = new HttpClient { BaseAddress = pulse.Site };
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsJsonAsync("/auth/signin/email", new { email = _email, returnUrl = "/x" })).StatusCode);
        Assert.EndsWith("&returnUrl=%2Fx", LinkIn(await pulse.Mailbox.NextAsync()), StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsJsonAsync("/auth/signin/email", new { email = "nobody" })).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsJsonAsync("/auth/signin/email", new { email = _email, admin = true })).StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nobody")]
    [InlineData("a@example.com, b@example.com")]
    [InlineData("a@example.com\r\nBcc: b@example.com")]
    [InlineData("Ada <a@example.com>")]
    public async Task Ask_ForNoAddress_SaysSo(string email)
    {
        var answer = await _browser.PostAsync("/auth/signin/email", ("email", email));
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains("That is no e-mail address", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Ask_FromAnotherSite_IsRefused(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/signin/email")
        {
            Content = new FormUrlEncodedContent([KeyValuePair.Create("email", _email)]),
            Headers = { { header, value } },
        };
        Assert.Equal(HttpStatusCode.Forbidden, (await _browser.SendAsync(request)).Status);
        Assert.Equal(0L, await pulse.QueryAsync($"SELECT count(*) FROM verification_tokens WHERE identifier = '{_email}'"));
    }

    [Fact]
    public async Task Ask_WhileTheServerIsBusy_TriesAgain_AndARefusedRecipientShowsNothing()
    {
        var busy = $"busy@{Guid.NewGuid():N}.example.com";
        Assert.Equal(HttpStatusCode.OK, (await _browser.PostAsync("/auth/signin/email", ("email", busy))).Status);
        Assert.Equal(busy, Assert.Single((await pulse.Mailbox.NextAsync()).To.Mailboxes).Address);

        var refused = $"refused@{Guid.NewGuid():N}.example.com";
        Assert.Equal(HttpStatusCode.OK, (await _browser.PostAsync("/auth/signin/email", ("email", refused))).Status);
        await AssertNoMoreMailAsync();
    }

    // A mail is sent before its request is answered, so one that nobody should have got would come before that of a later request.
    private async Task AssertNoMoreMailAsync()
    {
        var marker = $"marker@{Guid.NewGuid():N}.example.com";
        await _browser.PostAsync("/auth/signin/email", ("email", marker));
        Assert.Equal(marker, Assert.Single((await pulse.Mailbox.NextAsync()).To.Mailboxes).Address);
    }

    private async Task<string> AskAsync()
    {
        await _browser.PostAsync("/auth/signin/email", ("email", _email));
        return LinkIn(await pulse.Mailbox.NextAsync());
    }

    // The same token in a form of now: the one on the old page was made for somebody who was not signed in.
    private static async Task<Answer> SubstituteAsync(Browser browser, Answer landing)
    {
        var page = await browser.GetAsync("/dashboard");
        var formToken = FormToken().Match(page.Body).Groups[1].Value;
        return landing with { Body = FormToken().Replace(landing.Body, $"name=\"formToken\" value=\"{formToken}\"") };
    }

    private static string LinkIn(MimeMessage mail) => Link().Match(mail.TextBody!).Value;

    [GeneratedRegex("""name="formToken" value="([^"]*)""" + "\"")]
    private static partial Regex FormToken();

    [GeneratedRegex(@"http://\S+")]
    private static partial Regex Link();
}
