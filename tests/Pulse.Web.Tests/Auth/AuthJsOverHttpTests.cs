using System.Net;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.Presence;

namespace Pulse.Web.Tests.Auth;

[Collection(SharedPulse.Name)]
public sealed class AuthJsOverHttpTests(PulseApplication pulse)
{
    [Theory]
    [InlineData(AuthJsTokens.Cookie)]
    [InlineData(AuthJsTokens.SecureCookie)]
    public async Task SignIn_TokenOfEitherCookie_SyncsAndConnects(string cookie)
    {
        var email = NewEmail();
        var token = await AuthJsTokens.MintAsync(AuthJsTokens.Claims(email: email), cookie);
        using var client = pulse.As(token);

        using var before = await client.GetAsync("/auth/me");
        using var sync = await client.PostJsonAsync("/auth/sync", null);
        using var me = await client.GetAsync("/auth/me");
        var created = await sync.ReadAsync(HttpStatusCode.Created);

        await before.ReadProblemAsync(HttpStatusCode.NotFound, "not-synced");
        Assert.Equal((email, "Ada"), ((string?)created["email"], (string?)created["name"]));
        Assert.Equal(created.ToJsonString(), (await me.ReadAsync(HttpStatusCode.OK)).ToJsonString());

        await using var hub = await HubClient.ConnectAsync(pulse.Address, token);
        Assert.Equal((string?)created["id"], (await hub.NextAsync("Connected")).GetProperty("userId").GetString());
    }

    [Fact]
    public async Task Sync_TokensOfOnePersonUnderBothCookies_AreOneUser()
    {
        var claims = AuthJsTokens.Claims(email: NewEmail());
        using var plain = pulse.As(await AuthJsTokens.MintAsync(claims, AuthJsTokens.Cookie));
        using var secure = pulse.As(await AuthJsTokens.MintAsync(claims, AuthJsTokens.SecureCookie));

        using var first = await plain.PostJsonAsync("/auth/sync", null);
        using var second = await secure.PostJsonAsync("/auth/sync", null);

        Assert.Equal((string?)(await first.ReadAsync(HttpStatusCode.Created))["id"], (string?)(await second.ReadAsync(HttpStatusCode.OK))["id"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sync_EmailOfAnotherUser_IsRefusedOnlyWhenVerified(bool verified)
    {
        var (userId, email) = (Guid.NewGuid(), NewEmail());
        var theirs = TestTokens.Claims(userId, email);
        theirs["email_verified"] = true;
        using var owner = pulse.As(TestTokens.Hs256(theirs));
        using var owned = await owner.PostJsonAsync("/auth/sync", null);
        await owned.ReadAsync(HttpStatusCode.Created);
        var claims = AuthJsTokens.Claims(email: email);
        if (verified) claims["email_verified"] = true;
        using var client = pulse.As(await AuthJsTokens.MintAsync(claims));

        using var sync = await client.PostJsonAsync("/auth/sync", null);

        if (verified) await sync.ReadProblemAsync(HttpStatusCode.Conflict, "account-exists");
        else Assert.NotEqual(userId.ToString(), (string?)(await sync.ReadAsync(HttpStatusCode.Created))["id"]);
    }

    [Theory]
    [MemberData(nameof(BadAuthJsTokens.Names), MemberType = typeof(BadAuthJsTokens))]
    public async Task Request_BadToken_IsRefusedWithAReason(string bad)
    {
        var token = await BadAuthJsTokens.MakeAsync(bad);
        using var client = pulse.As(token);
        using var rest = await client.GetAsync("/auth/me");
        using var hub = await client.PostAsync("/hubs/pulse/negotiate?negotiateVersion=1", content: null);

        foreach (var response in new[] { rest, hub })
        {
            await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-invalid");
            var challenge = response.Headers.WwwAuthenticate.ToString();
            Assert.StartsWith("Bearer error=\"invalid_token\", error_description=\"", challenge, StringComparison.Ordinal);
            Assert.Contains(BadAuthJsTokens.Reason(bad), challenge, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("other secret")]
    [InlineData("expired")]
    public async Task Hub_BadTokenInTheQuery_IsRefused(string bad)
    {
        var token = await BadAuthJsTokens.MakeAsync(bad);
        using var response = await pulse.Anonymous.PostAsync($"/hubs/pulse/negotiate?negotiateVersion=1&access_token={token}", content: null);
        await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-invalid");
    }

    private static string NewEmail() => $"{Guid.NewGuid():N}@example.com";
}
