using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.SignIn;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Which new people get a user where the settings name domains.</summary>
public sealed partial class SignUpTests : IClassFixture<SignUpTests.Fixture>, IDisposable
{
    private readonly Fixture _fixture;
    private readonly Browser _browser;
    private readonly string _person = $"s{Guid.NewGuid():N}";

    public SignUpTests(Fixture fixture)
    {
        (_fixture, _browser) = (fixture, new(fixture.Pulse.Address));
        fixture.Provider.Reset();
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal HostileProvider Provider { get; private set; } = null!;

        internal TestMailbox Mailbox { get; private set; } = null!;

        internal PulseApplication Pulse { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Provider = await HostileProvider.StartAsync();
            Mailbox = await TestMailbox.StartAsync();
            Pulse = new Application([
                new("Pulse:Auth:SignUp", "domains"),
                new("Pulse:Auth:SignUpDomains:0", "Corp.Example"),
                new("Pulse:Auth:SignUpDomains:1", "xn--bcher-kva.example"),
                new("Pulse:Auth:Providers:lab:ClientId", HostileProvider.ClientId),
                new("Pulse:Auth:Providers:lab:ClientSecret", HostileProvider.ClientSecret),
                new("Pulse:Auth:Providers:lab:Authority", Provider.Url),
                .. Mailbox.Settings,
                new("Pulse:Mail:RequestsPerMinute", "1000"),
            ]);
            await Pulse.InitializeAsync();
        }

        public async Task DisposeAsync()
        {
            await Pulse.DisposeAsync();
            await Mailbox.DisposeAsync();
            await Provider.DisposeAsync();
        }

        private sealed class Application(IEnumerable<KeyValuePair<string, string>> settings) : PulseApplication(settings);
    }

    public void Dispose() => _browser.Dispose();

    [Theory]
    [InlineData("corp.example", true, true)]
    [InlineData("CORP.EXAMPLE", true, true)]
    [InlineData("bücher.example", true, true)]
    [InlineData("corp.example", false, false)]
    [InlineData("sub.corp.example", true, false)]
    [InlineData("corp.example.evil.example", true, false)]
    [InlineData("evilcorp.example", true, false)]
    public async Task Provider_SignsUpOnlyTheListedDomains(string domain, bool verified, bool admitted)
    {
        var answer = await SignInAtProviderAsync($"{_person}@{domain}", verified);

        Assert.Equal(admitted ? HttpStatusCode.SeeOther : HttpStatusCode.Forbidden, answer.Status);
        Assert.Equal(admitted, await _browser.WhoAmIAsync() is not null);
        if (!admitted) Assert.Contains("You have no access here", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("corp.example", true, HttpStatusCode.Created)]
    [InlineData("corp.example", false, HttpStatusCode.Forbidden)]
    [InlineData("other.example", true, HttpStatusCode.Forbidden)]
    public async Task TrustedIssuersToken_SignsUpOnlyTheListedDomains(string domain, bool verified, HttpStatusCode status)
    {
        var claims = TestTokens.Claims(PulseApplication.TrustedIssuer, _person, $"{_person}@{domain}");
        claims["email_verified"] = verified;
        using var client = _fixture.Pulse.As(TestTokens.Hs256(claims, TestTokens.OtherKey));

        using var answer = await client.PostJsonAsync("/auth/sync", null);

        if (status == HttpStatusCode.Created) await answer.ReadAsync(status);
        else await answer.ReadProblemAsync(status, "sign-up-refused");
    }

    [Fact]
    public async Task MailRoute_AnswersUnknownAddressesAlike_AndSendsThemNoMail()
    {
        var (stranger, colleague) = ($"{_person}@other.example", $"{_person}@corp.example");
        using var refused = await _fixture.Pulse.Anonymous.PostJsonAsync("/auth/signin/email", Body(stranger));
        using var admitted = await _fixture.Pulse.Anonymous.PostJsonAsync("/auth/signin/email", Body(colleague));

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted), (refused.StatusCode, admitted.StatusCode));
        Assert.Equal(Names(admitted), Names(refused));
        Assert.Equal(colleague, Assert.Single((await _fixture.Mailbox.NextAsync()).To.Mailboxes).Address);

        static string Body(string email) => new JsonObject { ["email"] = email }.ToJsonString();
        static string[] Names(HttpResponseMessage answer) => [.. answer.Headers.Select(header => header.Key).Order()];
    }

    [Fact]
    public async Task ExistingUsers_AreNotAffected()
    {
        // A Pulse token is made by the operator's own programs.
        var email = $"{_person}@other.example";
        var claims = TestTokens.Claims(Guid.NewGuid(), email);
        claims["email_verified"] = true;
        using var client = _fixture.Pulse.As(TestTokens.Hs256(claims));
        using var synced = await client.PostJsonAsync("/auth/sync", null);
        await synced.ReadAsync(HttpStatusCode.Created);

        await _browser.PostAsync("/auth/signin/email", ("email", email));
        var link = Link().Match((await _fixture.Mailbox.NextAsync()).TextBody!).Value;
        Assert.Equal(HttpStatusCode.SeeOther, (await _browser.SubmitAsync(await _browser.GetAsync(link))).Status);
        Assert.Equal((string?)claims["sub"], (await _browser.WhoAmIAsync())?.ToString());

        // From here on the account is known.
        using var again = new Browser(_fixture.Pulse.Address);
        await again.PostAsync("/auth/signin/email", ("email", email));
        Assert.Equal(email, Assert.Single((await _fixture.Mailbox.NextAsync()).To.Mailboxes).Address);
    }

    [Theory]
    [InlineData("Open", null, null, true)]
    [InlineData("closed", "ada@corp.example", "corp.example", false)]
    [InlineData("Domains", "ada@corp.example", null, true)]
    [InlineData("Domains", null, "Corp.Example", true)]
    [InlineData("Domains", null, "sub.corp.example", false)]
    [InlineData("Domains", null, null, false)]
    public void Rule_UsesTheProvenAddressOrTheHostedDomain(string signUp, string? provenEmail, string? hostedDomain, bool admitted)
    {
        var rule = new SignUpRule(Options.Create(new SignUpOptions { SignUp = signUp, SignUpDomains = { "corp.example" } }));

        Assert.Equal(admitted, rule.Admits(provenEmail, hostedDomain));
        Assert.Equal(!admitted, rule.Apply(new() { Email = provenEmail, EmailVerified = provenEmail is not null }, hostedDomain).KnownUserOnly);
    }

    [Theory]
    [InlineData("google", "corp.example")]
    [InlineData("lab", null)]
    public void HostedDomain_IsReadOnlyFromGoogle(string provider, string? domain) =>
        Assert.Equal(domain, ExternalIdentity.FromClaims(provider, null, new(new System.Security.Claims.ClaimsIdentity([new("sub", "1"), new("hd", "corp.example")])))!.HostedDomain);

    private async Task<Answer> SignInAtProviderAsync(string email, bool verified)
    {
        _fixture.Provider.Tamper = token => (token.Claims["sub"], token.Claims["email"], token.Claims["email_verified"]) = (_person, email, verified);
        return await _browser.GetAsync((await SignInFixture.ToHostileCallbackAsync(_browser, "lab")).AbsoluteUri);
    }

    [GeneratedRegex(@"http://\S+")]
    private static partial Regex Link();
}
