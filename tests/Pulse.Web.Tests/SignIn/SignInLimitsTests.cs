using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Pulse.Web.Mail;
using Pulse.Web.SignIn;

namespace Pulse.Web.Tests.SignIn;

/// <summary>The effects of time, an unavailable mail server, many requests and production on sign-ins; each on a separate Pulse.</summary>
public sealed partial class SignInLimitsTests
{
    [Fact]
    public async Task Link_TooLate_SaysSo()
    {
        await using var pulse = await StartAsync(("Pulse:SignInLinks:Lifetime", "00:05:00"));
        using var browser = new Browser(pulse.Site);
        var before = DateTimeOffset.UtcNow;
        await browser.PostAsync("/auth/signin/email", ("email", "late@example.com"));
        var link = WebUtility.HtmlDecode(Link().Match((await browser.GetAsync("/dev/mail")).Body).Groups[1].Value);
        var page = await browser.GetAsync(link);

        Assert.Equal(HttpStatusCode.OK, page.Status);
        var expires = await pulse.QueryAsync("SELECT expires FROM verification_tokens WHERE identifier = 'late@example.com'");
        Assert.InRange(DateTimeOffset.Parse(expires!, CultureInfo.InvariantCulture), before.AddMinutes(5), DateTimeOffset.UtcNow.AddMinutes(5));

        // The expiry is changed instead of waited for, because a short one could pass before the page above is loaded.
        await pulse.QueryAsync("UPDATE verification_tokens SET expires = '2020' || substr(expires, 5)");
        var answer = await browser.GetAsync(link);

        Assert.Equal(HttpStatusCode.Gone, answer.Status);
        Assert.Contains("This link is too old", answer.Body, StringComparison.Ordinal);
        Assert.Contains("href=\"/signin\"", answer.Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Gone, (await browser.SubmitAsync(page)).Status);
        Assert.Null(await browser.WhoAmIAsync());
    }

    [Fact]
    public async Task MailServerUnavailable_IsReported_AndManyRequestsAreLimited()
    {
        await using var pulse = await StartAsync(
            ("Pulse:Mail:Host", "127.0.0.1"), ("Pulse:Mail:Port", "1"), ("Pulse:Mail:Security", "None"), ("Pulse:Mail:From", "pulse@example.com"),
            ("Pulse:Mail:RequestsPerMinute", "5"));
        using var browser = new Browser(pulse.Site);

        // Four tries for one mailbox, because failed ones do not count against it.
        for (var asked = 0; asked < 4; asked++)
        {
            var answer = await browser.PostAsync("/auth/signin/email", ("email", "ada@example.com"));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
            Assert.Contains("The mail could not be sent", answer.Body, StringComparison.Ordinal);
        }

        using var program = new HttpClient { BaseAddress = pulse.Site };
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await program.PostAsJsonAsync("/auth/signin/email", new { email = "ada@example.com" })).StatusCode);

        var stopped = await browser.PostAsync("/auth/signin/email", ("email", "ada@example.com"));
        Assert.Equal((HttpStatusCode.TooManyRequests, "60"), (stopped.Status, stopped.Response.Headers.RetryAfter?.ToString()));
        Assert.Contains("Too many tries", stopped.Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await program.PostAsJsonAsync("/auth/signin/email", new { email = "ada@example.com" })).StatusCode);

        // With a real mail server the page for development mail is missing.
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/dev/mail")).Status);
    }

    [Fact]
    public async Task StrangersMails_DoNotKeepTheUsersBrowserFromSigningIn()
    {
        await using var pulse = await StartAsync();
        using var own = new Browser(pulse.Site);
        using var stranger = new Browser(pulse.Site);
        await own.PostAsync("/auth/signin/email", ("email", "ada@example.com"));
        await own.SubmitAsync(await own.GetAsync(WebUtility.HtmlDecode(Link().Match((await own.GetAsync("/dev/mail")).Body).Groups[1].Value)));
        var ada = await own.WhoAmIAsync();
        Assert.NotNull(ada);
        await own.SubmitAsync(await own.GetAsync("/example"));
        Assert.Null(await own.WhoAmIAsync());

        for (var asked = 0; asked < 5; asked++) await stranger.PostAsync("/auth/signin/email", ("email", "ada@example.com"));
        Assert.Equal(4, Link().Count((await stranger.GetAsync("/dev/mail")).Body));

        await own.PostAsync("/auth/signin/email", ("email", "ada@example.com"));
        var mails = (await own.GetAsync("/dev/mail")).Body;
        Assert.Equal(5, Link().Count(mails));
        await own.SubmitAsync(await own.GetAsync(WebUtility.HtmlDecode(Link().Match(mails).Groups[1].Value)));
        Assert.Equal(ada, await own.WhoAmIAsync());
    }

    [Fact]
    public async Task AddressConfirmation_NotSent_DoesNotCount()
    {
        await using var pulse = await StartAsync(
            ("Pulse:Mail:Host", "127.0.0.1"), ("Pulse:Mail:Port", "1"), ("Pulse:Mail:Security", "None"), ("Pulse:Mail:From", "pulse@example.com"));
        using var browser = new Browser(pulse.Site);
        await browser.PostAsync("/auth/signin/dev", ("email", "ada@example.com"));
        var form = FormToken().Match((await browser.GetAsync("/dashboard")).Body).Groups[1].Value;

        for (var asked = 0; asked < 4; asked++)
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await browser.PostAsync("/dashboard/email", ("formToken", form), ("email", "new@example.com"))).Status);
    }

    [Fact]
    public async Task MailsAndGuesses_AreLimitedByNetworkAndAddress()
    {
        await using var pulse = await StartAsync(("Pulse:Mail:MailsPerNetworkPerHour", "2"), ("Pulse:Mail:GuessesPerMinute", "3"));
        using var browser = new Browser(pulse.Site);
        var mails = new List<HttpStatusCode>();
        for (var asked = 0; asked < 3; asked++) mails.Add((await browser.PostAsync("/auth/signin/email", ("email", $"m{asked}@example.com"))).Status);
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], mails);

        var guesses = new List<HttpStatusCode>();
        for (var guess = 0; guess < 4; guess++) guesses.Add((await browser.GetAsync($"/auth/callback/email?token={new string('A', 43)}")).Status);
        Assert.Equal([HttpStatusCode.Gone, HttpStatusCode.Gone, HttpStatusCode.Gone, HttpStatusCode.TooManyRequests], guesses);
    }

    [Fact]
    public void SiteLimit_IsTakenByMailsThatNetworksMaySend()
    {
        using var limits = new MailLimits(Options.Create(new MailOptions { MailsPerNetworkPerHour = 2, MailsPerHour = 3 }), NullLogger<MailLimits>.Instance);
        var taken = "192.0.2.1 192.0.2.77 192.0.2.200 ::ffff:192.0.2.9 2001:db8:1:1::1 2001:db8:1:2::1 198.51.100.1".Split(' ')
            .Select(client => limits.TryTake(IPAddress.Parse(client), new DefaultHttpContext().Response)).ToArray();

        // One network twice, the second network once, and then the site is at its limit.
        Assert.Equal([true, true, false, false, true, false, false], taken);
    }

    [Fact]
    public async Task Production_HasNoDevelopmentSignIn()
    {
        await using var pulse = await StartAsync(("environment", "Production"), ("Pulse:Auth:DevSignIn", "false"));
        using var browser = new Browser(pulse.Site);

        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/dev/mail")).Status);
        Assert.Contains(
            (await browser.PostAsync("/auth/signin/dev", ("email", "ada@example.com"))).Status, new[] { HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await browser.PostAsync("/auth/signin/email", ("email", "ada@example.com"))).Status);
        Assert.DoesNotContain("action=\"/auth/signin/email\"", (await browser.GetAsync("/signin")).Body, StringComparison.Ordinal);
    }

    private static async Task<Application> StartAsync(params (string Key, string Value)[] settings)
    {
        var pulse = new Application(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value)));
        await pulse.InitializeAsync();
        return pulse;
    }

    [GeneratedRegex(@"href=""(/auth/callback/email[^""]*)""")]
    private static partial Regex Link();

    [GeneratedRegex("name=\"formToken\" value=\"([^\"]*)\"")]
    private static partial Regex FormToken();

    private sealed class Application(IEnumerable<KeyValuePair<string, string>> settings) : PulseApplication(settings), IAsyncDisposable
    {
        public Uri Site => Anonymous.BaseAddress!;

        /// <summary>The first column of the first row, if any.</summary>
        public async Task<string?> QueryAsync(string sql)
        {
            await using var connection = new SqliteConnection($"Data Source={Path.Combine(DataDirectory, "pulse.db")};Pooling=False");
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            return (string?)await command.ExecuteScalarAsync();
        }

        async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();
    }
}
