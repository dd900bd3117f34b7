using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Auth;

public sealed class TokenValidatorTests
{
    private const string Trusted = "https://app.example";

    private static readonly Pulse.Users.UserProfile s_user =
        new() { Id = Guid.NewGuid(), Email = "ada@example.com", Name = "Ada", CreatedAt = DateTimeOffset.UtcNow, EmailVerified = true };

    [Fact]
    public async Task Validate_OwnToken_GivesTheCaller()
    {
        await using var services = AuthHost.CreateWithKey();
        var (userId, sid) = (Guid.NewGuid(), services.GetRequiredService<TestSessions>().Start().ToString());
        var claims = TestTokens.Claims(userId, "Ada@Example.com");
        (claims["email_verified"], claims["name"], claims["picture"], claims["sid"]) = (true, "Ada", "https://example.com/a.png", sid);

        var caller = await ValidateAsync(services, TestTokens.Hs256(claims));

        Assert.Equal((userId, "pulse", userId.ToString()), (caller.OwnUserId, caller.Issuer, caller.Subject));
        Assert.Equal(("Ada@Example.com", true, "Ada", "https://example.com/a.png", sid), (caller.Email, caller.EmailVerified, caller.Name, caller.Picture, caller.SessionId));
        Assert.Equal((long)claims["exp"]!, caller.ExpiresAt.ToUnixTimeSeconds());
    }

    [Theory]
    [MemberData(nameof(BadTokens.Names), MemberType = typeof(BadTokens))]
    public async Task Validate_BadToken_IsRefusedWithAReason(string bad)
    {
        await using var services = AuthHost.CreateWithKey();

        var validation = await services.GetRequiredService<TokenValidator>().ValidateAsync(BadTokens.Make(bad));

        Assert.Null(validation.Principal);
        Assert.False(validation.MayRetry);
        Assert.Contains(BadTokens.Reason(bad), TokenFailure.Describe(validation.Failure!), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("JWT")]
    [InlineData("jwt")]
    [InlineData("at+jwt")]
    [InlineData(null)]
    public async Task Validate_TypeOfAnAccessToken_Passes(string? type)
    {
        await using var services = AuthHost.CreateWithKey();
        var header = new System.Text.Json.Nodes.JsonObject { ["alg"] = "HS256" };
        if (type is not null) header["typ"] = type;

        Assert.NotNull(await ValidateAsync(services, TestTokens.Raw(header, TestTokens.Claims().ToJsonString())));
    }

    [Fact]
    public async Task Validate_ClaimNamesInOtherCase_AreOtherClaims()
    {
        await using var services = AuthHost.CreateWithKey();
        var claims = TestTokens.Claims(email: "ada@example.com");
        (claims["EMAIL_VERIFIED"], claims["Name"]) = (true, "Mallory");

        var caller = await ValidateAsync(services, TestTokens.Hs256(claims));

        Assert.Equal(("ada@example.com", false, null), (caller.Email, caller.EmailVerified, caller.Name));
    }

    [Theory]
    [InlineData("exp", -20)]
    [InlineData("iat", 20)]
    [InlineData("nbf", 20)]
    public async Task Validate_ClocksThatDifferALittle_Passes(string claim, int seconds)
    {
        await using var services = AuthHost.CreateWithKey();
        var claims = TestTokens.Claims();
        claims[claim] = TestTokens.In(seconds);

        Assert.NotNull(await ValidateAsync(services, TestTokens.Hs256(claims)));
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    [InlineData("\"true\"", true)]
    [InlineData("\"yes\"", false)]
    [InlineData("null", false)]
    [InlineData("[true,true]", false)]
    public async Task Validate_EmailVerifiedOfAnyForm_IsTrueOnlyForTrue(string json, bool verified)
    {
        await using var services = AuthHost.CreateWithKey();
        var claims = TestTokens.Claims(email: "ada@example.com");
        claims["email_verified"] = System.Text.Json.Nodes.JsonNode.Parse(json);

        Assert.Equal(verified, (await ValidateAsync(services, TestTokens.Hs256(claims))).EmailVerified);
    }

    [Fact]
    public async Task Validate_FractionalExpiry_IsRead()
    {
        await using var services = AuthHost.CreateWithKey();
        var claims = TestTokens.Claims();
        var expiry = TestTokens.In(600);
        claims["exp"] = expiry + 0.5;

        Assert.InRange((await ValidateAsync(services, TestTokens.Hs256(claims))).ExpiresAt.ToUnixTimeSeconds(), expiry, expiry + 1);
    }

    [Fact]
    public async Task Validate_TrustedIssuersToken_NamesItsSubjectAndNoUser()
    {
        await using var services = CreateTrusting();

        var caller = await ValidateAsync(services, TestTokens.Hs256(TestTokens.Claims(Trusted, "ada|1"), TestTokens.OtherKey));

        Assert.Equal((Trusted, "ada|1", null), (caller.Issuer, caller.Subject, caller.OwnUserId));
    }

    [Fact]
    public async Task Validate_TokenUnderAPreviousSigningKey_Passes()
    {
        await using var services = AuthHost.CreateWithKey(("PreviousSigningKeys:0", TestTokens.OtherKey));
        var userId = Guid.NewGuid();

        Assert.Equal(userId, (await ValidateAsync(services, TestTokens.Hs256(TestTokens.Claims(userId), TestTokens.OtherKey))).OwnUserId);
        Assert.Equal(userId, (await ValidateAsync(services, TestTokens.Hs256(TestTokens.Claims(userId)))).OwnUserId);
        // It is used for checking only.
        await using var later = AuthHost.CreateWithKey();
        await ValidateAsync(later, services.GetRequiredService<TokenIssuer>().Issue(s_user).Value);
    }

    [Theory]
    [InlineData("pulse", TestTokens.OtherKey)]
    [InlineData(Trusted, TestTokens.Key)]
    public async Task Validate_OneIssuersTokenUnderAnothersKey_IsRefused(string issuer, string key)
    {
        await using var services = CreateTrusting();
        var token = TestTokens.Hs256(TestTokens.Claims(issuer, Guid.NewGuid().ToString()), key);

        Assert.Null((await services.GetRequiredService<TokenValidator>().ValidateAsync(token)).Principal);
    }

    [Fact]
    public async Task Issue_ThenValidate_GivesTheUser()
    {
        await using var services = AuthHost.CreateWithKey(("AccessTokenLifetime", "00:05:00"));

        var token = services.GetRequiredService<TokenIssuer>().Issue(s_user);
        var caller = await ValidateAsync(services, token.Value);

        Assert.Equal((s_user.Id, "ada@example.com", true, "Ada", null), (caller.OwnUserId, caller.Email, caller.EmailVerified, caller.Name, caller.SessionId));
        Assert.Equal(token.ExpiresAt, caller.ExpiresAt);
        Assert.InRange(token.ExpiresAt, DateTimeOffset.UtcNow.AddMinutes(4), DateTimeOffset.UtcNow.AddMinutes(5));
    }

    [Fact]
    public async Task IssueForSession_ThenValidate_HasTheSessionAndNoProfile()
    {
        await using var services = AuthHost.CreateWithKey();
        var sessionId = services.GetRequiredService<TestSessions>().Start();

        var token = services.GetRequiredService<TokenIssuer>().IssueForSession(s_user, sessionId, DateTimeOffset.UtcNow.AddDays(1));
        var caller = await ValidateAsync(services, token.Value);

        Assert.Equal((s_user.Id, "ada@example.com", true, sessionId), (caller.OwnUserId, caller.Email, caller.EmailVerified, caller.OwnSessionId));
        Assert.Equal((null, null), (caller.Name, caller.Picture));
        Assert.InRange(token.ExpiresAt, DateTimeOffset.UtcNow.AddMinutes(14), DateTimeOffset.UtcNow.AddMinutes(15));
    }

    [Fact]
    public async Task IssueForSession_ThatEndsSoon_EndsWithIt()
    {
        await using var services = AuthHost.CreateWithKey();
        var end = DateTimeOffset.FromUnixTimeSeconds(TestTokens.In(100));

        Assert.Equal(end, services.GetRequiredService<TokenIssuer>().IssueForSession(s_user, Guid.NewGuid(), end).ExpiresAt);
    }

    [Fact]
    public async Task Validate_TokenWhoseSessionEnded_IsRefused()
    {
        await using var services = AuthHost.CreateWithKey();
        var sessions = services.GetRequiredService<TestSessions>();
        var claims = TestTokens.Claims();
        var sessionId = sessions.Start();
        claims["sid"] = sessionId.ToString();
        var validator = services.GetRequiredService<TokenValidator>();
        Assert.NotNull((await validator.ValidateAsync(TestTokens.Hs256(claims))).Principal);

        sessions.End(sessionId);
        var validation = await validator.ValidateAsync(TestTokens.Hs256(claims));

        Assert.Null(validation.Principal);
        Assert.False(validation.MayRetry);
        Assert.Contains("session has ended", TokenFailure.Describe(validation.Failure!), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"s1\"")]
    [InlineData("1")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("true")]
    [InlineData("\"00000000-0000-0000-0000-000000000000\"")]
    public async Task Validate_SidOfNoSession_IsRefused(string json)
    {
        await using var services = AuthHost.CreateWithKey();
        var claims = TestTokens.Claims();
        claims["sid"] = System.Text.Json.Nodes.JsonNode.Parse(json);

        Assert.Null((await services.GetRequiredService<TokenValidator>().ValidateAsync(TestTokens.Hs256(claims))).Principal);
    }

    [Fact]
    public async Task Validate_SessionsUnavailable_MayBeRetried()
    {
        await using var services = AuthHost.CreateWithKey();
        var sessions = services.GetRequiredService<TestSessions>();
        var claims = TestTokens.Claims();
        claims["sid"] = sessions.Start().ToString();
        sessions.AreAway = true;

        var validation = await services.GetRequiredService<TokenValidator>().ValidateAsync(TestTokens.Hs256(claims));

        Assert.Null(validation.Principal);
        Assert.True(validation.MayRetry);
    }

    [Fact]
    public async Task Validate_TrustedIssuersSid_IsTheIssuersOwn()
    {
        await using var services = CreateTrusting();
        var claims = TestTokens.Claims(Trusted, "ada|1");
        claims["sid"] = Guid.NewGuid().ToString();

        Assert.Null((await ValidateAsync(services, TestTokens.Hs256(claims, TestTokens.OtherKey))).OwnSessionId);
    }

    private static ServiceProvider CreateTrusting() => AuthHost.CreateWithKey(
        ("TrustedIssuers:0:Issuer", Trusted), ("TrustedIssuers:0:Audience", "pulse"), ("TrustedIssuers:0:SigningKey", TestTokens.OtherKey));

    private static async Task<Caller> ValidateAsync(ServiceProvider services, string token)
    {
        var validation = await services.GetRequiredService<TokenValidator>().ValidateAsync(token);
        Assert.Null(validation.Failure);
        Assert.True(Caller.TryRead(validation.Principal!, "pulse", out var caller));
        return caller;
    }
}
