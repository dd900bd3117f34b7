using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Auth;

/// <summary>Tokens of an issuer whose keys are published: fetched over HTTP, cached, and fetched again when a new one is needed.</summary>
public sealed class AuthorityIssuerTests : IAsyncLifetime, IDisposable
{
    private readonly RSA _first = RSA.Create(2048);
    private readonly RSA _second = RSA.Create(2048);
    private TestIdentityProvider _provider = null!;
    private ServiceProvider _services = null!;

    private TokenValidator Validator => _services.GetRequiredService<TokenValidator>();

    public async Task InitializeAsync()
    {
        _provider = await TestIdentityProvider.StartAsync();
        _provider.Publish(("one", _first));
        _services = AuthHost.CreateWithKey(
            ("TrustedIssuers:0:Issuer", _provider.Url), ("TrustedIssuers:0:Audience", "pulse"), ("TrustedIssuers:0:Authority", _provider.Url));
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        await _provider.DisposeAsync();
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    [Theory]
    [InlineData("https://elsewhere.example")]
    [InlineData("")]
    public async Task Validate_DiscoveryDocumentOfAnotherIssuer_IsRefused(string issuer)
    {
        _provider.Issuer = issuer;

        var validation = await Validator.ValidateAsync(Token(_first, "one"));

        Assert.Null(validation.Principal);
        Assert.True(validation.MayRetry);
    }

    [Fact]
    public async Task Validate_PublishedKey_PassesAndKeysAreFetchedOnce()
    {
        for (var i = 0; i < 20; i++)
        {
            Assert.Null((await Validator.ValidateAsync(Token(_first, "one"))).Failure);
        }

        Assert.Equal(1, _provider.KeyFetches);
    }

    [Fact]
    public async Task Validate_KeyThatIsNotPublished_IsRefused() =>
        Assert.Null((await Validator.ValidateAsync(Token(_second, "one"))).Principal);

    [Fact]
    public async Task Validate_PublicKeyAsHmacSecret_IsRefused()
    {
        // RFC 8725 section 2.1: the classic confusion of algorithms.
        var publicKey = Encoding.UTF8.GetString(Encoding.ASCII.GetBytes(_first.ExportSubjectPublicKeyInfoPem()));

        Assert.Null((await Validator.ValidateAsync(TestTokens.Hs256(TestTokens.Claims(_provider.Url, "ada"), publicKey))).Principal);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("own key")]
    public async Task Validate_NotSignedWithAPublishedKey_IsRefused(string how)
    {
        JsonObject claims = TestTokens.Claims(_provider.Url, "ada");
        var token = how == "none" ? TestTokens.Unsigned(claims) : TestTokens.Hs256(claims);

        Assert.Null((await Validator.ValidateAsync(token)).Principal);
    }

    [Fact]
    public async Task Validate_KeysRotated_NewKeyPasses_WithdrawnKeyIsRefused()
    {
        var passed = Token(_first, "one");
        Assert.Null((await Validator.ValidateAsync(passed)).Failure);

        _provider.Publish(("two", _second));

        // Within the same validation, so that the first request after a rotation is accepted.
        Assert.Null((await Validator.ValidateAsync(Token(_second, "two"))).Failure);

        // The token that was accepted before is refused too.
        Assert.Null((await Validator.ValidateAsync(passed)).Principal);
        Assert.Null((await Validator.ValidateAsync(Token(_first, "one"))).Principal);
        Assert.Equal(2, _provider.KeyFetches);
    }

    [Fact]
    public async Task Validate_ManyInventedKids_FetchTheKeysAtMostOnceMore()
    {
        for (var i = 0; i < 50; i++)
        {
            Assert.Null((await Validator.ValidateAsync(Token(_second, $"invented-{i}"))).Principal);
        }

        Assert.InRange(_provider.KeyFetches, 1, 2);
    }

    [Fact]
    public async Task Validate_ProviderUnavailable_MayBeRetried()
    {
        await _provider.DisposeAsync();

        var validation = await Validator.ValidateAsync(Token(_first, "one"));

        Assert.True(validation.MayRetry, $"Expected an issuer that is unavailable, got {validation.Failure}");
    }

    private string Token(RSA key, string kid) => TestTokens.Rs256(TestTokens.Claims(_provider.Url, "ada"), key, kid);
}
