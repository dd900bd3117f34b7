using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pulse.Accounts;
using Pulse.Conversations;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Tests.Audit;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Sign-in and accounts when a call to a grain fails, or when something else happens just before it.</summary>
public sealed partial class SignInFaultTests(SignInFaultTests.Application pulse) : IClassFixture<SignInFaultTests.Application>, IDisposable
{
    private readonly string _person = $"f{Guid.NewGuid():N}";
    private readonly Browser _browser = new(pulse.Address), _other = new(pulse.Address);

    private string Email => $"{_person}@fault.example";

    public void Dispose()
    {
        pulse.Calls.Before = pulse.Calls.After = null;
        _browser.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task FailedSignIn_KeepsTheBrowsersSession()
    {
        await SignInAsync(_browser, Email);
        var user = await _browser.WhoAmIAsync();
        pulse.Calls.Before = call => call == nameof(IUserSessionsGrain.StartAsync) ? throw new StoreUnavailableException("Made by the test.") : Task.CompletedTask;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostSignInAsync(_browser, $"second.{Email}")).Status);

        Assert.Equal(user, Assert.NotNull(await _browser.WhoAmIAsync()));
    }

    [Fact]
    public async Task UserDisabledDuringASignIn_IsRefused()
    {
        await SignInAsync(_other, Email);
        var user = Grains.GetGrain<IUserGrain>(Assert.NotNull(await _other.WhoAmIAsync()));
        await SignInAsync(_browser, $"second.{Email}");
        pulse.Calls.Before = call => call == nameof(IUserSessionsGrain.StartAsync) ? user.SetDisabledAsync(true) : Task.CompletedTask;

        var answer = await PostSignInAsync(_browser, Email);

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Contains("disabled", answer.Body, StringComparison.Ordinal);
        Assert.NotNull(await _browser.WhoAmIAsync());
        Assert.Contains(pulse.AuditLines, line => (line["EventName"], line["Reason"], line["Provider"]) is ("sign-in-refused", "user-disabled", "dev"));
    }

    [Theory]
    [InlineData(nameof(IUserSessionsGrain.EndAllAsync))]
    [InlineData(nameof(IAccountGrain.UnlinkAsync))]
    public async Task Erasure_WhoseCleanupFails_IsCompleteAndAudited(string failing)
    {
        await SignInAsync(_browser, Email);
        var user = Assert.NotNull(await _browser.WhoAmIAsync());
        pulse.Calls.Before = call => call == failing ? throw new TimeoutException("Made by the test.") : Task.CompletedTask;

        Assert.Equal(HttpStatusCode.NoContent, (await _browser.SendAsync(new(HttpMethod.Delete, "/auth/me"))).Status);

        Assert.Single(pulse.AuditLines, line => line["EventName"] as string == "user-erased" && (Guid?)line["UserId"] == user);
    }

    [Fact]
    public async Task Erasure_WithAnUnknownOutcome_IsAudited()
    {
        await SignInAsync(_browser, Email);
        var user = Assert.NotNull(await _browser.WhoAmIAsync());
        pulse.Calls.After = call => call == nameof(IUserGrain.EraseAsync) ? throw new TimeoutException("Made by the test.") : Task.CompletedTask;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _browser.SendAsync(new(HttpMethod.Delete, "/auth/me"))).Status);

        Assert.Null(await _browser.WhoAmIAsync());
        var line = Assert.Single(pulse.AuditLines, line => line["EventName"] as string == "user-erased" && (Guid?)line["UserId"] == user);
        Assert.Equal("outcome-unknown", line["Reason"]);
    }

    [Fact]
    public async Task Export_WithAPageOfMessagesThatFailsOnce_IsComplete()
    {
        await SignInAsync(_browser, Email);
        var user = Assert.NotNull(await _browser.WhoAmIAsync());
        var conversation = Grains.GetGrain<IConversationGrain>(Guid.NewGuid());
        await conversation.CreateAsync(new() { Kind = ConversationKinds.Group, CreatorId = user, Title = "Notes" });
        await conversation.ApplyAsync(new() { Kind = EntryKinds.Message, SenderId = user, ClientId = Guid.NewGuid(), Text = "exported" });
        var pages = 0;
        pulse.Calls.Before = call => call == nameof(IConversationReaderGrain.ReadOwnAfterAsync) && ++pages == 2 ? throw new StoreUnavailableException("Made by the test.") : Task.CompletedTask;

        var answer = await _browser.SendAsync(new(HttpMethod.Get, "/auth/me/export"));

        Assert.Equal((HttpStatusCode.OK, 3), (answer.Status, pages));
        using var export = JsonDocument.Parse(answer.Body);
        Assert.Equal("exported", Assert.Single(export.RootElement.GetProperty("messages").EnumerateArray()).GetProperty("text").GetString());
    }

    [Fact]
    public async Task UnlinkedDuringASignIn_TheSignInIsRefused()
    {
        var (user, dev) = await SignInWithTwoAccountsAsync();
        pulse.Calls.Before = async call =>
        {
            if (call != nameof(IUserSessionsGrain.StartAsync)) return;
            pulse.Calls.Before = null;
            Assert.Equal(AccountLinkOutcome.Unlinked, await dev.UnlinkAsync(user));
        };

        var answer = await PostSignInAsync(_other, Email);

        Assert.NotEqual(HttpStatusCode.SeeOther, answer.Status);
        Assert.Null(await _other.WhoAmIAsync());
    }

    [Fact]
    public async Task UnlinkWithoutAnAnswer_EndsTheSessions_AndSaysWhatIsKnown()
    {
        var (user, dev) = await SignInWithTwoAccountsAsync();
        await SignInAsync(_other, Email);

        // The database has committed the unlink, and its answer is lost.
        pulse.Calls.After = call => call == nameof(IAccountGrain.UnlinkAsync) ? throw new StoreUnavailableException("Made by the test.") : Task.CompletedTask;
        var form = await FormTokenAsync(_browser);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _browser.PostAsync("/dashboard/accounts/unlink", ("formToken", form), ("account", "dev"))).Status);
        pulse.Calls.After = null;

        Assert.Null(await dev.FindUserAsync());
        await Eventually.AsyncTrue("the unlinked account's session has ended", async () => await _other.WhoAmIAsync() is null);
        var again = await _browser.PostAsync("/dashboard/accounts/unlink", ("formToken", form), ("account", "dev"));
        Assert.Equal("/dashboard?done=not-linked", again.Path);
    }

    [Fact]
    public async Task JoinByAddress_IsAuditedAndNotified()
    {
        await SignInByMailAsync(_browser, Email);
        var user = Assert.NotNull(await _browser.WhoAmIAsync());

        await SignInAsync(_browser, Email);

        Assert.Equal(user, await _browser.WhoAmIAsync());
        Assert.Single(pulse.AuditLines, line => (line["EventName"], line["Provider"]) is ("account-linked", "dev") && (Guid?)line["UserId"] == user);
        Assert.Single(pulse.AuditLines, line => line["EventName"] as string == "user-created" && (Guid?)line["UserId"] == user);
        Assert.Contains("An account was linked", (await _browser.GetAsync("/dashboard")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JoinByATrustedIssuersToken_IsAuditedAndNotified()
    {
        await SignInByMailAsync(_browser, Email);
        var user = Assert.NotNull(await _browser.WhoAmIAsync());
        var claims = TestTokens.Claims(PulseApplication.TrustedIssuer, _person, Email);
        claims["email_verified"] = true;
        using var theirs = pulse.As(TestTokens.Hs256(claims, TestTokens.OtherKey));

        for (var i = 0; i < 2; i++)
        {
            using var synced = await theirs.PostAsync("/auth/sync", null);
            Assert.Equal(user, JsonDocument.Parse(await synced.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetGuid());
        }

        Assert.Single(pulse.AuditLines, line => line["EventName"] as string == "account-linked" && (Guid?)line["UserId"] == user);
        Assert.Single(Regex.Matches((await _browser.GetAsync("/dashboard")).Body, "An account was linked"));
    }

    /// <summary>The browser's session is of the mailbox account. The user has an account of the development sign-in too.</summary>
    private async Task<(Guid User, IAccountGrain Dev)> SignInWithTwoAccountsAsync()
    {
        await SignInByMailAsync(_browser, Email);
        var user = Assert.NotNull(await _browser.WhoAmIAsync());
        var dev = Grains.GetGrain<IAccountGrain>(new AccountKey("dev", Email).ToString());
        await dev.LinkAsync(user, "dev");
        return (user, dev);
    }

    private IGrainFactory Grains => pulse.Services.GetRequiredService<IGrainFactory>();

    private static Task<Answer> PostSignInAsync(Browser browser, string email) => browser.PostAsync("/auth/signin/dev", ("email", email));

    private static async Task SignInAsync(Browser browser, string email) => Assert.Equal(HttpStatusCode.SeeOther, (await PostSignInAsync(browser, email)).Status);

    private static async Task SignInByMailAsync(Browser browser, string email)
    {
        await browser.PostAsync("/auth/signin/email", ("email", email));
        var link = Link().Matches((await browser.GetAsync("/dev/mail")).Body).Select(match => WebUtility.HtmlDecode(match.Groups[1].Value)).First();
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.SubmitAsync(await browser.GetAsync(link))).Status);
    }

    private static async Task<string> FormTokenAsync(Browser browser) => FormToken().Match((await browser.GetAsync("/dashboard")).Body).Groups[1].Value;

    [GeneratedRegex(@"href=""(/auth/callback/email[^""]*)""")]
    private static partial Regex Link();

    [GeneratedRegex("name=\"formToken\" value=\"([^\"]*)\"")]
    private static partial Regex FormToken();

    /// <summary>Pulse whose calls to grains a test can make fail, with all its audit lines.</summary>
    public sealed class Application() : PulseApplication([new("Pulse:Auth:TrustedIssuers:0:JoinsByEmail", "true"), new("Pulse:Mail:RequestsPerMinute", "1000")])
    {
        private readonly LogSink _log = new();

        internal FaultyCalls Calls { get; } = new();

        internal IEnumerable<LogLine> AuditLines => _log.Lines.Where(line => line.Category == AuditLog.Category);

        private protected override void Adjust(IServiceCollection services) =>
            services.AddSingleton<ILoggerProvider>(_log).AddSingleton<IIncomingGrainCallFilter>(Calls);
    }
}
