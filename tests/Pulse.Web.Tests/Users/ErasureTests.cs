using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Tests.Admin;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.Presence;
using Pulse.Web.Tests.Sessions;
using Pulse.Web.Tokens;
using Pulse.Web.Users;

namespace Pulse.Web.Tests.Users;

/// <summary>Users that erase themselves, and the refusal of their old tokens.</summary>
[Collection(SharedPulse.Name)]
public sealed class ErasureTests(PulseApplication pulse)
{
    [Fact]
    public async Task RecentlySignedInUser_ExportsAndErases()
    {
        using var ada = await Browser.SignInAsync(pulse);
        var token = TestTokens.Hs256(TestTokens.Claims(ada.UserId, $"{ada.UserId:N}@browser.example"));
        await using var socket = await HubClient.ConnectAsync(pulse.Address, token);
        await using var watcher = await HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims()));
        await watcher.WatchAsync(ada.UserId);

        using (var export = await ada.GetAsync("/auth/me/export"))
        {
            var exported = await export.ReadAsync(HttpStatusCode.OK);
            Assert.Equal("attachment", export.Content.Headers.ContentDisposition?.DispositionType);
            Assert.Equal(ada.UserId, (Guid)exported["user"]!["id"]!);
            Assert.Single(exported["sessions"]!.AsArray());
            Assert.Single(exported["connections"]!.AsArray());
        }

        using (var erased = await ada.DeleteAsync("/auth/me"))
        {
            Assert.Equal(HttpStatusCode.NoContent, erased.StatusCode);
            erased.AssertCookieCleared();
        }

        await watcher.StatusAsync(ada.UserId, "offline");
        Assert.Equal("user-removed", (await socket.NextAsync("SessionEnded")).GetProperty("reason").GetString());
        await socket.Closed;
        Assert.Equal(HttpStatusCode.Unauthorized, await ada.GetStatusAsync("/auth/me"));
        await AdminTests.AssertRefusedAsync(pulse, token, "user-erased");
        using var other = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        using var gone = await other.GetAsync($"/users/{ada.UserId}");
        await gone.ReadProblemAsync(HttpStatusCode.NotFound, "user-not-found");
        var presence = Assert.Single(JsonNode.Parse(await other.GetStringAsync($"/presence?ids={ada.UserId}"))!.AsArray());
        Assert.Equal(("offline", null), ((string?)presence!["status"], (string?)presence["lastSeen"]));
        Assert.Equal("offline", watcher.StatusesOf(ada.UserId)[^1]);
    }

    [Fact]
    public async Task ErasureAndExport_ByATokenWithoutASession_OrByAnOldSignIn_AreRefused()
    {
        using var ada = await Browser.SignInAsync(pulse);
        var session = Assert.Single(await ada.Sessions.ListAsync());
        var profile = (await ada.User.GetProfileAsync())!;
        var old = pulse.Services.GetRequiredService<TokenIssuer>().IssueForSession(profile, session.Id, session.ExpiresAt, DateTimeOffset.UtcNow.AddMinutes(-11)).Value;

        foreach (var (token, problem) in new[] { (TestTokens.Hs256(TestTokens.Claims(ada.UserId)), "forbidden"), (old, "sign-in-too-old") })
        {
            using var client = pulse.As(token);
            using var erased = await client.DeleteAsync("/auth/me");
            await erased.ReadProblemAsync(HttpStatusCode.Forbidden, problem);
            using var export = await client.GetAsync("/auth/me/export");
            await export.ReadProblemAsync(HttpStatusCode.Forbidden, problem);
        }

        Assert.Equal(profile, await ada.User.GetProfileAsync());
    }

    [Fact]
    public async Task ErasureAndExport_ByATrustedIssuersToken_AreRefused_AndTheUserStays()
    {
        var claims = TestTokens.Claims(PulseApplication.TrustedIssuer, $"them|{Guid.NewGuid()}", $"{Guid.NewGuid():N}@example.com");
        // As some issuers send them. They say nothing about a session of Pulse.
        claims["sid"] = Guid.NewGuid().ToString();
        claims["auth_time"] = TestTokens.In(0);
        using var client = pulse.As(TestTokens.Hs256(claims, TestTokens.OtherKey));
        using var synced = await client.PostJsonAsync("/auth/sync", null);
        await synced.ReadAsync(HttpStatusCode.Created);

        using var erased = await client.DeleteAsync("/auth/me");
        await erased.ReadProblemAsync(HttpStatusCode.Forbidden, "forbidden");
        using var export = await client.GetAsync("/auth/me/export");
        await export.ReadProblemAsync(HttpStatusCode.Forbidden, "forbidden");

        using var me = await client.GetAsync("/auth/me");
        await me.ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task TrustedIssuersToken_FromBeforeTheErasure_IsRefused_AndALaterOneMakesANewUser()
    {
        var subject = $"them|{Guid.NewGuid()}";
        var email = $"{Guid.NewGuid():N}@example.com";
        var before = TokenFor(subject, email, issuedAt: -60);
        var former = await SyncAsync(before);
        Assert.True(await pulse.Services.EraseUserAsync(former));

        await AdminTests.AssertRefusedAsync(pulse, before, "user-erased");
        var later = TokenFor(subject, email, issuedAt: 5);
        using (var stranger = pulse.As(later))
        using (var unknown = await stranger.GetAsync("/auth/me")) await unknown.ReadProblemAsync(HttpStatusCode.NotFound, "not-synced");
        var latter = await SyncAsync(later);

        Assert.NotEqual(former, latter);
        await AdminTests.AssertRefusedAsync(pulse, before, "user-erased");
        using var client = pulse.As(later);
        using var me = await client.GetAsync("/auth/me");
        Assert.Equal(latter, (Guid)(await me.ReadAsync(HttpStatusCode.OK))["id"]!);

        async Task<Guid> SyncAsync(string token)
        {
            using var theirs = pulse.As(token);
            using var synced = await theirs.PostJsonAsync("/auth/sync", null);
            return (Guid)(await synced.ReadAsync(HttpStatusCode.Created))["id"]!;
        }
    }

    [Fact]
    public async Task NewUser_WithTheErasedUsersAddress_IsAnother()
    {
        using var ada = await Browser.SignInAsync(pulse);
        using (var erased = await ada.DeleteAsync("/auth/me")) Assert.Equal(HttpStatusCode.NoContent, erased.StatusCode);
        var claims = TestTokens.Claims(email: $"{ada.UserId:N}@browser.example");
        claims["email_verified"] = true;
        using var client = pulse.As(TestTokens.Hs256(claims));

        using var synced = await client.PostJsonAsync("/auth/sync", null);

        Assert.NotEqual(ada.UserId, (Guid)(await synced.ReadAsync(HttpStatusCode.Created))["id"]!);
    }

    private static string TokenFor(string subject, string email, int issuedAt)
    {
        var claims = TestTokens.Claims(PulseApplication.TrustedIssuer, subject, email);
        claims["iat"] = TestTokens.In(issuedAt);
        return TestTokens.Hs256(claims, TestTokens.OtherKey);
    }
}
