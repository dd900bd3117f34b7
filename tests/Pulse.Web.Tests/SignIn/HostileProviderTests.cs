using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tests.SignIn;

/// <summary>The attacks of a provider or its impostor, and the pages that people see while it is unavailable.</summary>
[Collection(SharedSignIn.Name)]
public sealed class HostileProviderTests : IDisposable
{
    private readonly SignInFixture _pulse;
    private readonly Browser _browser;

    public HostileProviderTests(SignInFixture pulse)
    {
        (_pulse, _browser) = (pulse, pulse.NewBrowser());
        pulse.Hostile.Reset();
    }

    public void Dispose()
    {
        _pulse.Hostile.Reset();
        _browser.Dispose();
    }

    /// <summary>How an ID token can be wrong (OpenID Connect Core 1.0 section 3.1.3.7).</summary>
    public static TheoryData<string> WrongTokens => [.. s_tampering.Keys];

    private static readonly Dictionary<string, Action<SecurityTokenDescriptor>> s_tampering = new()
    {
        ["another audience"] = token => token.Audience = "somebody-else",
        ["another issuer"] = token => token.Issuer = "https://accounts.google.com",
        ["expired"] = token => (token.IssuedAt, token.NotBefore, token.Expires) =
            (DateTime.UtcNow.AddHours(-2), DateTime.UtcNow.AddHours(-2), DateTime.UtcNow.AddHours(-1)),
        ["no expiry"] = token => token.Expires = null,
        ["not yet"] = token => token.NotBefore = DateTime.UtcNow.AddMinutes(4),
        ["no nonce"] = token => token.Claims.Remove("nonce"),
        ["another nonce"] = token => token.Claims["nonce"] = "638000000000000000.bm90IHRoaXMgb25l",
        ["no subject"] = token => token.Claims.Remove("sub"),
        ["endless subject"] = token => token.Claims["sub"] = new string('x', 256),
        ["another key"] = token => token.SigningCredentials = new(new RsaSecurityKey(RSA.Create(2048)) { KeyId = ((AsymmetricSecurityKey)token.SigningCredentials.Key).KeyId }, SecurityAlgorithms.RsaSha256),
        ["the client's secret as key"] = token => token.SigningCredentials = new(
            new SymmetricSecurityKey(Encoding.UTF8.GetBytes(HostileProvider.ClientSecret)), SecurityAlgorithms.HmacSha256),
        ["no signature"] = token => token.SigningCredentials = null!,
    };

    [Fact]
    public async Task HonestProvider_SignsIn()
    {
        _pulse.Hostile.Tamper = token => (token.Claims["sub"], token.Claims["email"]) = ("honest", "honest@hostile.example");
        var answer = await _browser.GetAsync((await SignInFixture.ToHostileCallbackAsync(_browser)).AbsoluteUri);

        Assert.Equal("/dashboard", answer.Path);
        Assert.Equal("hostile", await _pulse.QueryAsync("SELECT provider FROM accounts WHERE provider_account_id = 'honest'"));
        Assert.Equal(43, _pulse.Hostile.LastTokenRequest!["code_verifier"].ToString().Length);
    }

    [Fact]
    public async Task KeyThatWasRotated_SignsInTheFirstPersonAfterIt()
    {
        _pulse.Hostile.Tamper = token => (token.Claims["sub"], token.Claims["email"]) = ("rotated", "rotated@hostile.example");
        await AssertSignsInAsync();

        _pulse.Hostile.RotateKey();

        await AssertSignsInAsync();

        async Task AssertSignsInAsync()
        {
            using var browser = _pulse.NewBrowser();
            Assert.Equal("/dashboard", (await browser.GetAsync((await SignInFixture.ToHostileCallbackAsync(browser)).AbsoluteUri)).Path);
        }
    }

    [Theory]
    [MemberData(nameof(WrongTokens))]
    public async Task WrongToken_IsRefused(string how)
    {
        _pulse.Hostile.Tamper = s_tampering[how];
        await AssertRefusedAsync();
    }

    [Theory]
    [InlineData("no signature behind the second dot")]
    [InlineData("a changed payload")]
    public async Task ForgedToken_IsRefused(string how)
    {
        _pulse.Hostile.Forge = token =>
        {
            var parts = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(token).Split('.');
            if (how == "a changed payload")
                parts[1] = Base64UrlEncoder.Encode(Base64UrlEncoder.Decode(parts[1]).Replace("mallory", "adalove", StringComparison.Ordinal));
            else
                parts[2] = "";
            return string.Join('.', parts);
        };
        await AssertRefusedAsync();
    }

    [Fact]
    public async Task NonceOfAnEarlierSignIn_IsRefused()
    {
        // An ID token that was stolen from an earlier sign-in of the same browser.
        var first = await _browser.GetAsync("/auth/signin/hostile");
        var nonce = System.Web.HttpUtility.ParseQueryString(first.Location!.Query)["nonce"]!;
        var used = (await _browser.GetAsync(first.Location.AbsoluteUri)).Location!;
        _pulse.Hostile.Tamper = token => (token.Claims["sub"], token.Claims["email"]) = ("earlier", "earlier@hostile.example");
        Assert.Equal(HttpStatusCode.SeeOther, (await _browser.GetAsync(used.AbsoluteUri)).Status);

        _pulse.Hostile.Tamper = token => token.Claims["nonce"] = nonce;
        await AssertRefusedAsync();
    }

    [Theory]
    [InlineData(400, "application/json", """{"error":"invalid_grant"}""")]
    [InlineData(200, "application/json", """{"error":"invalid_grant"}""")]
    [InlineData(200, "application/json", "{}")]
    [InlineData(200, "application/json", """{"id_token":"x.y.z","access_token":"a","token_type":"Bearer"}""")]
    [InlineData(200, "text/html", "<html>")]
    [InlineData(500, "text/plain", "oops")]
    public async Task WrongTokenAnswer_IsRefused(int status, string type, string body)
    {
        _pulse.Hostile.Token = context =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (status, type);
            return context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body)).AsTask();
        };
        await AssertRefusedAsync();
    }

    [Fact]
    public async Task TokenEndpointThatNeverAnswers_IsUnavailableWithinTheTimeout()
    {
        _pulse.Hostile.Token = context => Task.Delay(TimeSpan.FromMinutes(1), context.RequestAborted);
        await AssertUnavailableAsync((await SignInFixture.ToHostileCallbackAsync(_browser)).AbsoluteUri);
    }

    [Theory]
    [InlineData("away")]
    [InlineData("silent")]
    [InlineData("rubbish")]
    public async Task UnavailableProvider_GetsNoRedirects_AndHealthHasTheReason(string provider)
    {
        await AssertUnavailableAsync($"/auth/signin/{provider}");

        var health = await _browser.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.OK, health.Status);
        Assert.Contains($"Nobody can sign in with The {provider} one: it", health.Body, StringComparison.Ordinal);
        Assert.Contains("\"degraded\"", health.Body, StringComparison.Ordinal);

        var signIn = await _browser.GetAsync("/signin");
        Assert.Contains($"The {provider} one is not available", signIn.Body, StringComparison.Ordinal);
        Assert.DoesNotContain($"href=\"/auth/signin/{provider}", signIn.Body, StringComparison.Ordinal);
        Assert.Contains("href=\"/auth/signin/google", signIn.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DiscoveryOfAnotherIssuer_GetsNoRedirects_UntilCorrected()
    {
        _pulse.Rubbish.Discovery = context => context.Response.WriteAsJsonAsync(new Dictionary<string, object>
        {
            ["issuer"] = "https://accounts.google.com",
            ["authorization_endpoint"] = $"{_pulse.Hostile.Url}/authorize",
            ["token_endpoint"] = $"{_pulse.Hostile.Url}/token",
            ["jwks_uri"] = $"{_pulse.Hostile.Url}/jwks",
        });
        await AssertUnavailableAsync("/auth/signin/rubbish");

        _pulse.Rubbish.Discovery = context => context.Response.Body.WriteAsync("<html>Welcome!</html>"u8.ToArray()).AsTask();
        await AssertUnavailableAsync("/auth/signin/rubbish");
    }

    private async Task AssertRefusedAsync()
    {
        var before = await _pulse.QueryAsync("SELECT count(*) FROM accounts");
        var answer = await _browser.GetAsync((await SignInFixture.ToHostileCallbackAsync(_browser)).AbsoluteUri);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains("was not accepted", answer.Body, StringComparison.Ordinal);
        Assert.Equal(before, await _pulse.QueryAsync("SELECT count(*) FROM accounts"));
    }

    private async Task AssertUnavailableAsync(string url)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var answer = await _browser.GetAsync(url);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
        Assert.Contains("is not available", answer.Body, StringComparison.Ordinal);
        Assert.Contains("href=\"/signin\"", answer.Body, StringComparison.Ordinal);
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }
}
