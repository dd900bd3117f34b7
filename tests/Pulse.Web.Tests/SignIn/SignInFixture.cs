using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace Pulse.Web.Tests.SignIn;

/// <summary>
/// Pulse with five providers: Google (played by a certified one), a hostile one, and three that are unavailable in different ways; and a
/// mail server.
/// </summary>
public sealed partial class SignInFixture : IAsyncLifetime
{
    private readonly TcpListener _silent = new(IPAddress.Loopback, 0);
    private NodeServer _google = null!;
    private Application _pulse = null!;

    internal HostileProvider Hostile { get; private set; } = null!;

    internal HostileProvider Rubbish { get; private set; } = null!;

    internal TestMailbox Mailbox { get; private set; } = null!;

    internal Uri GoogleUrl { get; private set; } = null!;

    internal Uri Site => _pulse.Anonymous.BaseAddress!;

    public async Task InitializeAsync()
    {
        (_google, var google) = await NodeServer.StartAsync("provider.mjs", "pulse", "google-secret", "/auth/callback/google");
        GoogleUrl = new(google.GetProperty("url").GetString()!);
        Mailbox = await TestMailbox.StartAsync();
        Hostile = await HostileProvider.StartAsync();
        Rubbish = await HostileProvider.StartAsync();
        Rubbish.Discovery = context => context.Response.Body.WriteAsync("<html>Welcome!</html>"u8.ToArray()).AsTask();
        _silent.Start();
        var silent = $"http://127.0.0.1:{((IPEndPoint)_silent.LocalEndpoint).Port}";

        _pulse = new Application([
            new("Pulse:Auth:Google:ClientId", "pulse"),
            new("Pulse:Auth:Google:ClientSecret", "google-secret"),
            new("Pulse:Auth:Google:Authority", GoogleUrl.OriginalString),
            .. Provider("HOSTILE", Hostile.Url), .. Provider("second", Hostile.Url), .. Provider("joining", Hostile.Url),
            new("Pulse:Auth:Providers:joining:JoinsByEmail", "true"),
            .. Provider("tenants", $"{Hostile.Url}/organizations/v2.0"),
            .. Provider("rubbish", Rubbish.Url),
            .. Provider("silent", silent), .. Provider("away", await UnusedAsync()),
            .. Mailbox.Settings,
            new("Pulse:Mail:RequestsPerMinute", "1000"),
            new("Pulse:Mail:MailsPerNetworkPerHour", "1000"),
            new("Pulse:Mail:GuessesPerMinute", "10000"),
        ]);
        await _pulse.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        if (_pulse is not null) await _pulse.DisposeAsync();
        _silent.Dispose();
        await Rubbish.DisposeAsync();
        await Hostile.DisposeAsync();
        await Mailbox.DisposeAsync();
        await _google.DisposeAsync();
    }

    internal Browser NewBrowser() => new(Site);

    /// <summary>Begins at Pulse, signs in at Google, and returns the callback's address, which the browser has yet to open.</summary>
    internal async Task<Uri> ToCallbackAsync(Browser browser, string person, bool verified = true, string start = "/auth/signin/google", string? email = null)
    {
        var page = await BeginAsync(browser, start);
        var answer = await browser.SubmitAsync(
            page, ("answer", "yes"), ("sub", person), ("email", email ?? $"{person}@gmail.com"), ("email_verified", verified ? "true" : "false"), ("name", "Ada"));
        return await FollowToCallbackAsync(browser, answer);
    }

    /// <summary>Begins at Pulse, and presses cancel at Google.</summary>
    internal async Task<Uri> CancelAsync(Browser browser) =>
        await FollowToCallbackAsync(browser, await browser.SubmitAsync(await BeginAsync(browser, "/auth/signin/google"), ("answer", "no")));

    /// <summary>The complete sign-in.</summary>
    internal async Task<Answer> SignInAsync(Browser browser, string person, bool verified = true, string? email = null) =>
        await browser.GetAsync((await ToCallbackAsync(browser, person, verified, email: email)).AbsoluteUri);

    /// <summary>Begins at the hostile provider, which answers at once. Returns the callback's address.</summary>
    internal static async Task<Uri> ToHostileCallbackAsync(Browser browser, string name = "hostile")
    {
        var challenge = await ConsentAsync(browser, await browser.GetAsync($"/auth/signin/{name}"));
        Assert.Equal(HttpStatusCode.Redirect, challenge.Status);
        return (await browser.GetAsync(challenge.Location!.AbsoluteUri)).Location!;
    }

    /// <summary>Makes a user's sessions older, and waits until Pulse has read the change.</summary>
    internal async Task AgeSessionsAsync(Browser browser, TimeSpan by)
    {
        var user = await browser.WhoAmIAsync();
        var at = DateTimeOffset.UtcNow - by;
        await using (var connection = new SqliteConnection($"Data Source={_pulse.Database};Pooling=False"))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = $"UPDATE sessions SET created_at = '{at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'.000000Z'}' WHERE user_id = '{user}'";
            Assert.NotEqual(0, await command.ExecuteNonQueryAsync());
        }

        await Eventually.AsyncTrue("the session is old", async () =>
            System.Text.Json.JsonDocument.Parse((await browser.GetAsync("/auth/sessions")).Body).RootElement[0].GetProperty("createdAt").GetDateTimeOffset() < at.AddSeconds(1));
    }

    /// <summary>The first column of the first row. A second connection reads committed data.</summary>
    internal async Task<object?> QueryAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={_pulse.Database};Mode=ReadOnly;Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    private static async Task<Answer> BeginAsync(Browser browser, string start)
    {
        var answer = await ConsentAsync(browser, await browser.GetAsync(start));
        while (answer.Location is { } next) answer = await browser.GetAsync(next.AbsoluteUri);
        Assert.Contains("Who are you?", answer.Body, StringComparison.Ordinal);
        return answer;
    }

    /// <summary>Presses the button of the page that is shown first where the browser has a session.</summary>
    internal static async Task<Answer> ConsentAsync(Browser browser, Answer answer) =>
        answer.Status == HttpStatusCode.OK && ConsentHref().Match(answer.Body) is { Success: true } href
            ? await browser.GetAsync(WebUtility.HtmlDecode(href.Groups[1].Value))
            : answer;

    [GeneratedRegex("""<a class="button" href="(/auth/signin/[^"]*)">Continue with""")]
    private static partial Regex ConsentHref();

    private async Task<Uri> FollowToCallbackAsync(Browser browser, Answer answer)
    {
        while (answer.Location is { } next && !(next.Authority == Site.Authority)) answer = await browser.GetAsync(next.AbsoluteUri);
        return answer.Location ?? throw new InvalidOperationException($"Google answered {answer.Status}: {answer.Body}");
    }

    private static KeyValuePair<string, string>[] Provider(string name, string authority) =>
    [
        new($"Pulse:Auth:Providers:{name}:ClientId", HostileProvider.ClientId),
        new($"Pulse:Auth:Providers:{name}:ClientSecret", HostileProvider.ClientSecret),
        new($"Pulse:Auth:Providers:{name}:Authority", authority),
        new($"Pulse:Auth:Providers:{name}:DisplayName", $"The {name.ToLowerInvariant()} one"),
    ];

    // A port without a listener: it was free a moment ago.
    private static async Task<string> UnusedAsync()
    {
        await using var provider = await HostileProvider.StartAsync();
        return provider.Url;
    }

    private sealed class Application(IEnumerable<KeyValuePair<string, string>> settings) : PulseApplication(settings)
    {
        public string Database => Path.Combine(DataDirectory, "pulse.db");
    }
}

/// <summary>Shares one set of servers among the test classes, which use people of their own.</summary>
[CollectionDefinition(Name)]
public sealed class SharedSignIn : ICollectionFixture<SignInFixture>
{
    public const string Name = "Sign-in";
}
