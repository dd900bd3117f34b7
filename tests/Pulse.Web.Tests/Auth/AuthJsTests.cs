using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Auth;

public sealed class AuthJsTests
{
    private static readonly (string, string?)[] s_one = Application(0, AuthJsTokens.Issuer, AuthJsTokens.Secret);
    private static readonly (string, string?)[] s_two = [.. s_one, .. Application(1, "https://other.example", AuthJsTokens.OtherSecret)];

    [Theory]
    [InlineData(AuthJsTokens.Cookie)]
    [InlineData(AuthJsTokens.SecureCookie)]
    public async Task Validate_TokenOfEitherCookie_GivesTheCaller(string cookie)
    {
        await using var services = AuthHost.CreateWithKey(s_one);
        var claims = AuthJsTokens.Claims("ada|1", "Ada@Example.com");
        claims["picture"] = "https://example.com/a.png";

        var caller = await ReadAsync(services, await AuthJsTokens.MintAsync(claims, cookie));

        Assert.Equal((AuthJsTokens.Issuer, "ada|1", null), (caller.Issuer, caller.Subject, caller.OwnUserId));
        Assert.Equal(("Ada@Example.com", false, "Ada", "https://example.com/a.png"), (caller.Email, caller.EmailVerified, caller.Name, caller.Picture));
        Assert.InRange(caller.ExpiresAt, DateTimeOffset.UtcNow.AddMinutes(55), DateTimeOffset.UtcNow.AddMinutes(61));
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    [InlineData("null", false)]
    [InlineData("1", false)]
    [InlineData("\"2026-01-05T09:30:00.000Z\"", false)]
    public async Task Validate_EmailVerified_IsTrueOnlyForTrue(string json, bool verified)
    {
        await using var services = AuthHost.CreateWithKey(s_one);
        var token = AuthJsTokens.ByHand(claims => (claims["email"], claims["email_verified"]) = ("ada@example.com", JsonNode.Parse(json)));

        Assert.Equal(verified, (await ReadAsync(services, token)).EmailVerified);
    }

    [Theory]
    [MemberData(nameof(BadAuthJsTokens.Names), MemberType = typeof(BadAuthJsTokens))]
    public async Task Validate_BadToken_IsRefusedWithAReason(string bad)
    {
        await using var services = AuthHost.CreateWithKey(s_one);

        var validation = await ValidateAsync(services, await BadAuthJsTokens.MakeAsync(bad));

        Assert.Null(validation.Principal);
        Assert.False(validation.MayRetry);
        Assert.Contains(BadAuthJsTokens.Reason(bad), TokenFailure.Describe(validation.Failure!), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exp", -20)]
    [InlineData("nbf", 20)]
    public async Task Validate_ClocksThatDifferALittle_Passes(string claim, int seconds)
    {
        await using var services = AuthHost.CreateWithKey(s_one);

        await ReadAsync(services, AuthJsTokens.ByHand(claims => claims[claim] = TestTokens.In(seconds)));
    }

    // An application may keep another provider's claims in its own tokens.
    [Fact]
    public async Task Validate_TokenNamingAnotherIssuer_CountsAsTheApplications()
    {
        await using var services = AuthHost.CreateWithKey(s_one);
        var token = await AuthJsTokens.MintAsync(new JsonObject
        {
            ["sub"] = Guid.NewGuid().ToString(), ["iss"] = "pulse", ["aud"] = "pulse", ["sid"] = Guid.NewGuid().ToString(),
        });

        var caller = await ReadAsync(services, token);

        Assert.Equal((AuthJsTokens.Issuer, null, null), (caller.Issuer, caller.OwnUserId, caller.SessionId));
    }

    [Theory]
    [InlineData(AuthJsTokens.Cookie, AuthJsTokens.SecureCookie)]
    [InlineData(AuthJsTokens.SecureCookie, AuthJsTokens.Cookie)]
    [InlineData("session", AuthJsTokens.Cookie)]
    public async Task Validate_CookieNameSet_TakesTokensOfThatCookieAlone(string taken, string refused)
    {
        await using var services = AuthHost.CreateWithKey([.. s_one, ("TrustedIssuers:0:CookieName", taken)]);

        await ReadAsync(services, await AuthJsTokens.MintAsync(AuthJsTokens.Claims(), taken));
        Assert.Null((await ValidateAsync(services, await AuthJsTokens.MintAsync(AuthJsTokens.Claims(), refused))).Principal);
    }

    [Theory]
    [InlineData(AuthJsTokens.Secret, AuthJsTokens.Issuer)]
    [InlineData(AuthJsTokens.OtherSecret, "https://other.example")]
    public async Task Validate_SeveralApplications_TheKeySaysWhich(string secret, string issuer)
    {
        await using var services = AuthHost.CreateWithKey(s_two);
        var withoutKid = AuthJsTokens.ByHand(AuthJsTokens.Header(), $$"""{"sub":"ada","exp":{{TestTokens.In(3600)}}}""", secret);

        Assert.Equal(issuer, (await ReadAsync(services, await AuthJsTokens.MintAsync(AuthJsTokens.Claims(), secret: secret))).Issuer);
        Assert.Equal(issuer, (await ReadAsync(services, withoutKid)).Issuer);
    }

    [Fact]
    public async Task Validate_SignedTokenThatNamesTheApplication_IsRefused()
    {
        await using var services = AuthHost.CreateWithKey(s_one);

        foreach (var key in new[] { TestTokens.Key, AuthJsTokens.Secret })
            Assert.Null((await ValidateAsync(services, TestTokens.Hs256(TestTokens.Claims(AuthJsTokens.Issuer, "ada"), key))).Principal);
    }

    [Fact]
    public async Task Validate_OtherKindsBesideIt_AreTakenAsBefore()
    {
        const string Signing = "https://signing.example";
        await using var services = AuthHost.CreateWithKey(
            [.. s_one, ("TrustedIssuers:1:Issuer", Signing), ("TrustedIssuers:1:Audience", "pulse"), ("TrustedIssuers:1:SigningKey", TestTokens.OtherKey)]);

        Assert.Equal("pulse", (await ReadAsync(services, TestTokens.Hs256(TestTokens.Claims()))).Issuer);
        Assert.Equal(Signing, (await ReadAsync(services, TestTokens.Hs256(TestTokens.Claims(Signing, "ada"), TestTokens.OtherKey))).Issuer);
    }

    [Fact]
    public async Task Validate_NoApplicationTrusted_IsRefused()
    {
        await using var services = AuthHost.CreateWithKey();

        Assert.Null((await ValidateAsync(services, AuthJsTokens.ByHand())).Principal);
    }

    private static (string, string?)[] Application(int index, string issuer, string secret) =>
        [($"TrustedIssuers:{index}:Kind", "AuthJs"), ($"TrustedIssuers:{index}:Issuer", issuer), ($"TrustedIssuers:{index}:SigningKey", secret)];

    private static Task<TokenValidation> ValidateAsync(ServiceProvider services, string token) =>
        services.GetRequiredService<TokenValidator>().ValidateAsync(token);

    private static async Task<Caller> ReadAsync(ServiceProvider services, string token)
    {
        var validation = await ValidateAsync(services, token);
        Assert.Null(validation.Failure);
        Assert.True(Caller.TryRead(validation.Principal!, "pulse", out var caller));
        return caller;
    }
}
