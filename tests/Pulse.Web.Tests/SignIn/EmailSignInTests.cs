using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using MimeKit;
using Pulse.Identity;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Signing in by a link in a mail, which a real SMTP server has accepted.</summary>
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

        var mail = await pulse.Mailbox.NextAsync(_email);
        var link = LinkIn(mail);
        Assert.Equal(_email, Assert.Single(mail.To.Mailboxes).Address);
        Assert.Equal(("pulse@example.com", "auto-generated"), (Assert.Single(mail.From.Mailboxes).Address, mail.Headers[HeaderId.AutoSubmitted]));
        Assert.Contains(WebUtility.HtmlEncode(link), mail.HtmlBody, StringComparison.Ordinal);
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT count(*) FROM verification_tokens WHERE identifier = '{_email}' AND length(token) = 32"));

        // A scanner opens it first, many times, without the cookie of the browser that asked.
        using var scanner = pulse.NewBrowser();
        for (var opened = 0; opened < 3; opened++) Assert.Equal(HttpStatusCode.Forbidden, (await scanner.GetAsync(link)).Status);
        var landing = await _browser.GetAsync(link);
        Assert.Null(await _browser.WhoAmIAsync());
        Assert.Equal("/rooms?x=1", (await _browser.SubmitAsync(landing)).Path);

        var user = Assert.NotNull(await _browser.WhoAmIAsync());
        Assert.Null(await scanner.WhoAmIAsync());
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT email_verified FROM users WHERE id = '{user}' AND email = '{_email}'"));
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT count(*) FROM accounts WHERE user_id = '{user}' AND provider = 'email' AND provider_account_id = '{_email}' AND type = 'email'"));
        Assert.Equal(1L, await pulse.QueryAsync($"SELECT count(*) FROM sessions WHERE user_id = '{user}'"));
        Assert.Equal(0L, await pulse.QueryAsync($"SELECT count(*) FROM verification_tokens WHERE identifier = '{_email}'"));

        // The link has been used.
        var late = await _browser.GetAsync(link);
        Assert.Equal(HttpStatusCode.Gone, late.Status);
        Assert.Contains("href=\"/signin\"", late.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Confirmation_AnswerLost_MayBeRepeatedByTheSameBrowserOnly()
    {
        var link = await AskAsync();
        using var thief = pulse.NewBrowser();
        var landing = await _browser.GetAsync(link);
        Assert.Equal(HttpStatusCode.SeeOther, (await _browser.SubmitAsync(landing)).Status);

        // The same cookies and form as before, as if the first answer had been lost.
        Assert.Equal(HttpStatusCode.SeeOther, (await _browser.SubmitAsync(await SubstituteAsync(_browser, landing))).Status);

        // The thief's own form, with the token.
        var (own, token) = (await thief.GetAsync("/signin"), System.Web.HttpUtility.ParseQueryString(new Uri(link).Query)["token"]!);
        var formToken = FormToken().Match(own.Body).Groups[1].Value;
        var stolen = await thief.PostAsync("/auth/callback/email", ("token", token), ("formToken", formToken));
        Assert.Equal(HttpStatusCode.Forbidden, stolen.Status);
        Assert.Contains("another browser", stolen.Body, StringComparison.Ordinal);
        Assert.Null(await thief.WhoAmIAsync());
    }

    [Fact]
    public async Task Confirmation_RepeatedAfterSignOut_SignsNobodyIn()
    {
        var landing = await _browser.GetAsync(await AskAsync());
        Assert.Equal(HttpStatusCode.SeeOther, (await _browser.SubmitAsync(landing)).Status);
        using var signOut = new HttpRequestMessage(HttpMethod.Post, "/auth/signout") { Headers = { { "Sec-Fetch-Site", "same-origin" } } };
        Assert.True((int)(await _browser.SendAsync(signOut)).Status < 400);

        var form = FormToken().Match((await _browser.GetAsync("/signin")).Body).Groups[1].Value;
        var again = await _browser.SubmitAsync(landing with { Body = FormToken().Replace(landing.Body, $"name=\"formToken\" value=\"{form}\"") });

        Assert.Equal(HttpStatusCode.Forbidden, again.Status);
        Assert.Null(await _browser.WhoAmIAsync());
    }

    [Fact]
    public async Task Link_InAnotherBrowser_IsRefused_AndTheCodeWorksInTheAskingOne()
    {
        var asked = await _browser.PostAsync("/auth/signin/email", ("email", _email), ("returnUrl", "/rooms"));
        var mail = await pulse.Mailbox.NextAsync(_email);
        using var phone = pulse.NewBrowser();
        var elsewhere = await phone.GetAsync(LinkIn(mail));
        Assert.Equal(HttpStatusCode.Forbidden, elsewhere.Status);
        Assert.Contains("type the code", elsewhere.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(_email, elsewhere.Body, StringComparison.Ordinal);

        Assert.Equal("/rooms", (await _browser.SubmitAsync(asked, ("code", CodeIn(mail)))).Path);
        Assert.NotNull(await _browser.WhoAmIAsync());
        Assert.Null(await phone.WhoAmIAsync());
        Assert.Equal(0L, await pulse.QueryAsync($"SELECT count(*) FROM verification_tokens WHERE identifier = '{_email}'"));
    }

    [Fact]
    public async Task Code_InABrowserThatDidNotAsk_IsRefused()
    {
        await _browser.PostAsync("/auth/signin/email", ("email", _email));
        var code = CodeIn(await pulse.Mailbox.NextAsync(_email));
        using var eve = pulse.NewBrowser();
        var own = await eve.PostAsync("/auth/signin/email", ("email", $"eve{_email}"));
        await pulse.Mailbox.NextAsync($"eve{_email}");

        // Eve's own form, for the victim's mailbox, with the code that the victim read out.
        var answer = await eve.SubmitAsync(own with { Body = own.Body.Replace($"eve{_email}", _email, StringComparison.Ordinal) }, ("code", code));
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Null(await eve.WhoAmIAsync());
    }

    [Fact]
    public async Task Code_WrongFiveTimes_EndsTheMail()
    {
        var asked = await _browser.PostAsync("/auth/signin/email", ("email", _email));
        var mail = await pulse.Mailbox.NextAsync(_email);
        var code = CodeIn(mail);
        var wrong = code[0] == '0' ? $"1{code[1..]}" : $"0{code[1..]}";
        for (var tried = 0; tried < 5; tried++)
        {
            var answer = await _browser.SubmitAsync(asked, ("code", wrong));
            Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
            Assert.Contains(tried < 4 ? "Go back and type it again" : "Ask for a new mail", answer.Body, StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await _browser.SubmitAsync(asked, ("code", code))).Status);
        Assert.Equal(HttpStatusCode.Gone, (await _browser.GetAsync(LinkIn(mail))).Status);
        Assert.Null(await _browser.WhoAmIAsync());
    }

    [Fact]
    public async Task SignIn_EndsTheOtherLinksOfTheMailbox()
    {
        var (first, second) = (await AskAsync(), await AskAsync());

        await _browser.SubmitAsync(await _browser.GetAsync(second));

        Assert.NotNull(await _browser.WhoAmIAsync());
        Assert.Equal(HttpStatusCode.Gone, (await _browser.GetAsync(first)).Status);
    }

    [Fact]
    public async Task SignOutEverywhere_EndsTheLinksOfTheMailbox()
    {
        await _browser.SubmitAsync(await _browser.GetAsync(await AskAsync()));
        using var other = pulse.NewBrowser();
        await other.PostAsync("/auth/signin/email", ("email", _email));
        var link = LinkIn(await pulse.Mailbox.NextAsync(_email));
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync(link)).Status);

        using var everywhere = new HttpRequestMessage(HttpMethod.Post, "/auth/signout/everywhere") { Headers = { { "Sec-Fetch-Site", "same-origin" } } };
        Assert.True((int)(await _browser.SendAsync(everywhere)).Status < 400);

        Assert.Equal(HttpStatusCode.Gone, (await other.GetAsync(link)).Status);
    }

    [Theory]
    [InlineData("POST", "/auth/signout/everywhere")]
    [InlineData("DELETE", "/auth/me")]
    public async Task SignOutEverywhereAndErasure_AllowTheMailboxNewMails(string method, string path)
    {
        var email = $"{_email[.._email.IndexOf('@', StringComparison.Ordinal)]}+tag@example.com";
        await _browser.PostAsync("/auth/signin/email", ("email", email));
        await _browser.SubmitAsync(await _browser.GetAsync(LinkIn(await pulse.Mailbox.NextAsync(email))));
        using var other = pulse.NewBrowser();
        for (var asked = 0; asked < 3; asked++)
        {
            await other.PostAsync("/auth/signin/email", ("email", email));
            await pulse.Mailbox.NextAsync(email);
        }

        using var request = new HttpRequestMessage(new(method), path) { Headers = { { "Sec-Fetch-Site", "same-origin" } } };
        Assert.True((int)(await _browser.SendAsync(request)).Status < 400);

        await other.PostAsync("/auth/signin/email", ("email", email));
        Assert.Equal(email, Assert.Single((await pulse.Mailbox.NextAsync(email)).To.Mailboxes).Address);
    }

    [Fact]
    public async Task Mails_ToOneMailboxInManySpellings_AreCountedTogether()
    {
        var at = _email.IndexOf('@', StringComparison.Ordinal);
        for (var i = 0; i < 6; i++) await _browser.PostAsync("/auth/signin/email", ("email", $"{_email[..at]}+{i}{_email[at..]}"));

        for (var sent = 0; sent < 3; sent++) await pulse.Mailbox.NextAsync($"{_email[..at]}+{sent}{_email[at..]}");
        await AssertNoMoreMailAsync(_email[..at]);
    }

    [Theory]
    [InlineData("ada+news@example.com", "ada@example.com")]
    [InlineData("a.d.a@example.com", "a.d.a@example.com")]
    [InlineData("a.d.a+x@gmail.com", "ada@gmail.com")]
    [InlineData("a.d.a@googlemail.com", "ada@gmail.com")]
    [InlineData("+x@example.com", "+x@example.com")]
    public void Mailbox_IsOneForItsSpellings(string email, string mailbox) => Assert.Equal(mailbox, Mailbox.Of(email));

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
    public async Task Link_OfAnotherPerson_NamesTheNewAndTheFormerUser()
    {
        const string Warning = "You are signed in here as somebody else";
        var own = await AskAsync();
        var page = await _browser.GetAsync(own);
        Assert.Contains($"<strong>{_email}</strong>", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(Warning, page.Body, StringComparison.Ordinal);
        await _browser.SubmitAsync(page);

        Assert.DoesNotContain(Warning, (await _browser.GetAsync(await AskAsync())).Body, StringComparison.Ordinal);

        // Eve asks for a link for herself, and sends it to a signed-in user.
        var eve = $"eve{_email}";
        await _browser.PostAsync("/auth/signin/email", ("email", eve));
        page = await _browser.GetAsync(LinkIn(await pulse.Mailbox.NextAsync(eve)));
        Assert.Contains($"<strong>{eve}</strong>", page.Body, StringComparison.Ordinal);
        Assert.Contains(Warning, page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Confirm_WithoutTheForm_IsRefused_AndUsesNothingUp()
    {
        var link = await AskAsync();
        var token = System.Web.HttpUtility.ParseQueryString(new Uri(link).Query)["token"]!;

        // Another site's form, which would sign its victim in as another user.
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
            answers.Add($"{answer.Status} {FormToken().Replace(answer.Body.Replace(email, "them", StringComparison.Ordinal), "")}");
            await pulse.Mailbox.NextAsync(email);
        }

        Assert.Equal(answers[0], answers[1]);
        Assert.Equal(0L, await pulse.QueryAsync($"SELECT count(*) FROM users WHERE email = '{unknown}'"));
    }

    [Fact]
    public async Task Ask_MoreThanThreeTimes_AnswersTheSame_AndSendsThree()
    {
        var bodies = new List<string>();
        for (var asked = 0; asked < 5; asked++)
        {
            bodies.Add(FormToken().Replace((await _browser.PostAsync("/auth/signin/email", ("email", _email))).Body, ""));
        }

        Assert.Single(bodies.Distinct());
        for (var sent = 0; sent < 3; sent++) await pulse.Mailbox.NextAsync(_email);
        await AssertNoMoreMailAsync(_email);
        Assert.Equal(3L, await pulse.QueryAsync($"SELECT count(*) FROM verification_tokens WHERE identifier = '{_email}'"));
    }

    [Fact]
    public async Task Ask_AsJson_Is202()
    {
        using var client = new HttpClient { BaseAddress = pulse.Site };
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsJsonAsync("/auth/signin/email", new { email = _email, returnUrl = "/x" })).StatusCode);
        Assert.EndsWith("&returnUrl=%2Fx", LinkIn(await pulse.Mailbox.NextAsync(_email)), StringComparison.Ordinal);

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
    public async Task Ask_WhileTheServerIsBusy_Retries_AndHidesARefusedRecipient()
    {
        var busy = $"busy@{Guid.NewGuid():N}.example.com";
        Assert.Equal(HttpStatusCode.OK, (await _browser.PostAsync("/auth/signin/email", ("email", busy))).Status);
        Assert.Equal(busy, Assert.Single((await pulse.Mailbox.NextAsync(busy)).To.Mailboxes).Address);

        var refused = $"refused@{Guid.NewGuid():N}.example.com";
        Assert.Equal(HttpStatusCode.OK, (await _browser.PostAsync("/auth/signin/email", ("email", refused))).Status);
        await AssertNoMoreMailAsync(refused);
    }

    // A mail is sent before its request is answered, so a wrong mail would arrive before that of a later request.
    private async Task AssertNoMoreMailAsync(string to)
    {
        var marker = $"marker@{Guid.NewGuid():N}.example.com";
        await _browser.PostAsync("/auth/signin/email", ("email", marker));
        await pulse.Mailbox.NextAsync(marker);
        Assert.DoesNotContain(pulse.Mailbox.Waiting, address => address.StartsWith(to, StringComparison.Ordinal));
    }

    private async Task<string> AskAsync()
    {
        await _browser.PostAsync("/auth/signin/email", ("email", _email));
        return LinkIn(await pulse.Mailbox.NextAsync(_email));
    }

    // The same token in a present form, because the form on the old page was made for a signed-out browser.
    private static async Task<Answer> SubstituteAsync(Browser browser, Answer landing)
    {
        var page = await browser.GetAsync("/dashboard");
        var formToken = FormToken().Match(page.Body).Groups[1].Value;
        return landing with { Body = FormToken().Replace(landing.Body, $"name=\"formToken\" value=\"{formToken}\"") };
    }

    private static string CodeIn(MimeMessage mail) => Code().Match(mail.TextBody!).Value;

    private static string LinkIn(MimeMessage mail) => Link().Match(mail.TextBody!).Value;

    [GeneratedRegex("""name="formToken" value="([^"]*)""" + "\"")]
    private static partial Regex FormToken();

    [GeneratedRegex(@"\b\d{4} \d{4}\b")]
    private static partial Regex Code();

    [GeneratedRegex(@"http://\S+")]
    private static partial Regex Link();
}
