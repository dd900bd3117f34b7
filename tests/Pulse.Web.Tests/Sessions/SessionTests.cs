using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Data.Sqlite;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Sessions;

[Collection(SharedPulse.Name)]
public sealed class SessionTests(PulseApplication pulse)
{
    private static readonly string[] s_membersOfASession = ["id", "device", "address", "createdAt", "lastUsedAt", "expiresAt", "current"];

    [Fact]
    public async Task Cookie_AuthenticatesItsOwner()
    {
        using var browser = await Browser.SignInAsync(pulse);

        using var me = await browser.GetAsync("/auth/me");
        Assert.Equal(browser.UserId.ToString(), (string?)(await me.ReadAsync(HttpStatusCode.OK))["id"]);
        Assert.Null(me.SessionCookie());
        Assert.Equal(HttpStatusCode.OK, await browser.GetStatusAsync($"/users/{browser.UserId}"));
        Assert.Equal(HttpStatusCode.OK, await browser.GetStatusAsync($"/presence?ids={browser.UserId}"));
    }

    [Fact]
    public async Task Cookie_IsNotForSyncAndHub()
    {
        using var browser = await Browser.SignInAsync(pulse);

        using var sync = await browser.PostAsync("/auth/sync");
        await sync.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-missing");
        using var hub = await browser.PostAsync("/hubs/pulse/negotiate?negotiateVersion=1");
        await hub.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-missing");
    }

    [Fact]
    public async Task SignInByForm_OverAPlantedCookie_StartsANewSessionEachTime()
    {
        // Eve has planted her own cookie in Ada's browser: it must not become Ada's.
        using var eve = await Browser.SignInAsync(pulse);
        using var ada = new Browser(pulse) { Cookie = eve.Cookie };
        var seen = new HashSet<string> { eve.Cookie! };
        for (var i = 0; i < 3; i++)
        {
            using var signedIn = await ada.PostAsync("/auth/signin/dev", new FormUrlEncodedContent([new("email", "fixation@example.com")]));
            Assert.Equal(HttpStatusCode.SeeOther, signedIn.StatusCode);
            using var before = new Browser(pulse) { Cookie = ada.Cookie };
            ada.Cookie = signedIn.SessionCookie()!.Split(';')[0]["pulse=".Length..];

            Assert.True(seen.Add(ada.Cookie));
            Assert.Equal(HttpStatusCode.OK, await ada.GetStatusAsync("/auth/me"));
            Assert.Equal(HttpStatusCode.Unauthorized, await before.GetStatusAsync("/auth/me"));
        }
    }

    [Fact]
    public async Task NoCookie_IsAskedForAToken()
    {
        using var browser = new Browser(pulse);
        using var response = await browser.GetAsync("/auth/me");

        await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-missing");
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        Assert.Null(response.SessionCookie());
    }

    [Theory]
    [MemberData(nameof(BadCookies.Changes), MemberType = typeof(BadCookies))]
    public async Task BadCookie_IsSignedOut_AndCleared(string change)
    {
        using var browser = await Browser.SignInAsync(pulse);
        browser.Cookie = BadCookies.Apply(change, browser.Cookie!);

        using var response = await browser.GetAsync("/auth/me");

        await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "signed-out");
        response.AssertCookieCleared();
        using var open = await browser.GetAsync("/health/live");
        Assert.Equal(HttpStatusCode.OK, open.StatusCode);
    }

    [Fact]
    public async Task AnotherUsersId_WithTheOwnSecret_IsSignedOut()
    {
        using var ada = await Browser.SignInAsync(pulse);
        using var eve = await Browser.SignInAsync(pulse);
        eve.Cookie = ada.Cookie![..22] + eve.Cookie![22..];

        Assert.Equal(HttpStatusCode.Unauthorized, await eve.GetStatusAsync("/auth/me"));
    }

    [Fact]
    public async Task AuthorizationHeader_WinsOverTheCookie()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var response = await browser.SendAsync(HttpMethod.Get, "/auth/me", null, ("Authorization", "Bearer nonsense"));

        await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-invalid");
        Assert.Null(response.SessionCookie());
    }

    [Fact]
    public async Task UsedAfterADay_GetsTheSameCookieForSevenMoreDays()
    {
        using var browser = await Browser.SignInAsync(pulse);
        // Written by hand, as if the user had signed in two days ago.
        await using (var connection = new SqliteConnection($"Data Source={Path.Combine(pulse.DataDirectory, "pulse.db")}"))
        {
            await connection.OpenAsync();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE sessions SET created_at = @then, last_used_at = @then, expires = @end WHERE user_id = @user";
            command.Parameters.AddWithValue("then", Text(DateTimeOffset.UtcNow.AddDays(-2)));
            command.Parameters.AddWithValue("end", Text(DateTimeOffset.UtcNow.AddDays(5)));
            command.Parameters.AddWithValue("user", browser.UserId.ToString());
            Assert.Equal(1, await command.ExecuteNonQueryAsync());
        }

        string? renewed = null;
        await Eventually.AsyncTrue("the grain reads again and renews", async () =>
        {
            using var response = await browser.GetAsync("/auth/me");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return (renewed = response.SessionCookie()) is not null;
        });

        Assert.StartsWith($"pulse={browser.Cookie};", renewed, StringComparison.Ordinal);
        Assert.Contains("httponly", renewed, StringComparison.Ordinal);
        Assert.Contains("samesite=lax", renewed, StringComparison.Ordinal);
        Assert.Contains("path=/", renewed, StringComparison.Ordinal);
        var maxAge = int.Parse(renewed!.Split("max-age=")[1].Split(';')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(maxAge, (7 * 24 * 3600) - 120, 7 * 24 * 3600);
        using var again = await browser.GetAsync("/auth/me");
        Assert.Null(again.SessionCookie());
    }

    [Fact]
    public async Task List_ShowsAllSignIns_AndWhichIsThisOne()
    {
        using var browser = await Browser.SignInAsync(pulse);
        var first = browser.Cookie;
        var second = await browser.StartSessionAsync();

        using var response = await browser.GetAsync("/auth/sessions");
        var sessions = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray();

        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        Assert.Equal(2, sessions.Count);
        Assert.All(sessions, session => Assert.Equal(s_membersOfASession, session!.AsObject().Select(member => member.Key)));
        var current = Assert.Single(sessions, session => (bool)session!["current"]!);
        Assert.Equal((second.Id.ToString(), "curl", "192.0.2.1"), ((string?)current!["id"], (string?)current["device"], (string?)current["address"]));
        Assert.EndsWith("Z", (string?)current["expiresAt"], StringComparison.Ordinal);
        Assert.DoesNotContain(first!, response.Headers.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task End_AnotherDevice_RefusesItsCookieAndTokensAtOnce()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var other = await Browser.SignInAsync(pulse, browser.UserId);
        var token = await GetTokenAsync(other);
        using var bearer = pulse.As(token);
        using (var before = await bearer.GetAsync("/auth/me")) Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        var id = await CurrentIdAsync(other);

        using (var ended = await browser.DeleteAsync($"/auth/sessions/{id}")) Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);

        using var byCookie = await other.GetAsync("/auth/me");
        await byCookie.ReadProblemAsync(HttpStatusCode.Unauthorized, "signed-out");
        byCookie.AssertCookieCleared();
        using var byToken = await bearer.GetAsync("/auth/me");
        var problem = await byToken.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-invalid");
        Assert.Contains("session has ended", (string?)problem["detail"], StringComparison.Ordinal);
        using var byHub = await bearer.PostAsync("/hubs/pulse/negotiate?negotiateVersion=1", null);
        Assert.Equal(HttpStatusCode.Unauthorized, byHub.StatusCode);

        Assert.Equal(HttpStatusCode.OK, await browser.GetStatusAsync("/auth/me"));
        using var again = await browser.DeleteAsync($"/auth/sessions/{id}");
        await again.ReadProblemAsync(HttpStatusCode.NotFound, "session-not-found");
    }

    [Fact]
    public async Task End_ThisDevice_ClearsItsCookie()
    {
        using var browser = await Browser.SignInAsync(pulse);

        using var ended = await browser.DeleteAsync($"/auth/sessions/{await CurrentIdAsync(browser)}");

        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        ended.AssertCookieCleared();
    }

    [Fact]
    public async Task End_AnotherUsersOrUnknownSession_IsNotFound()
    {
        using var ada = await Browser.SignInAsync(pulse);
        using var eve = await Browser.SignInAsync(pulse);
        foreach (var id in new[] { await CurrentIdAsync(ada), Guid.NewGuid().ToString(), "1", "%20" })
        {
            using var response = await eve.DeleteAsync($"/auth/sessions/{id}");
            await response.ReadProblemAsync(HttpStatusCode.NotFound, "session-not-found");
        }

        Assert.Equal(HttpStatusCode.OK, await ada.GetStatusAsync("/auth/me"));
    }

    [Fact]
    public async Task Token_NamesTheSession_AndHasNoProfile()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var response = await browser.PostAsync("/auth/token");
        var answer = await response.ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["accessToken", "expiresAt"], answer.Select(member => member.Key));
        Assert.InRange((DateTimeOffset)answer["expiresAt"]!, DateTimeOffset.UtcNow.AddMinutes(14), DateTimeOffset.UtcNow.AddMinutes(15));
        var claims = Payload((string)answer["accessToken"]!);
        Assert.Equal((await CurrentIdAsync(browser), browser.UserId.ToString()), ((string?)claims["sid"], (string?)claims["sub"]));
        Assert.EndsWith("@browser.example", (string?)claims["email"], StringComparison.Ordinal);
        Assert.False(claims.ContainsKey("name") || claims.ContainsKey("picture"));

        using var bearer = pulse.As((string)answer["accessToken"]!);
        using var forATokenByToken = await bearer.PostAsync("/auth/token", null);
        await forATokenByToken.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-missing");
        using var list = await bearer.GetAsync("/auth/sessions");
        Assert.Contains("\"current\":true", await list.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_AfterAProfileEdit_DoesNotUndoIt()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var bearer = pulse.As(await GetTokenAsync(browser));
        await browser.User.SyncProfileAsync(new() { Name = "Countess" });

        using var sync = await bearer.PostAsync("/auth/sync", null);

        Assert.Equal("Countess", (string?)(await sync.ReadAsync(HttpStatusCode.OK))["name"]);
    }

    [Fact]
    public async Task Token_ConnectsToTheHub()
    {
        using var browser = await Browser.SignInAsync(pulse);
        var token = await GetTokenAsync(browser);
        await using var connection = new HubConnectionBuilder()
            .WithUrl($"{browser.Origin}/hubs/pulse", options => options.AccessTokenProvider = () => Task.FromResult<string?>(token)).Build();

        await connection.StartAsync();

        Assert.Equal(HubConnectionState.Connected, connection.State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SignOut_EndsThisSessionOnly(bool withToken)
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var other = await Browser.SignInAsync(pulse, browser.UserId);
        using var bearer = pulse.As(await GetTokenAsync(browser));

        using var response = withToken ? await bearer.PostAsync("/auth/signout", null) : await browser.PostAsync("/auth/signout");

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        if (!withToken) response.AssertCookieCleared();
        Assert.Equal(HttpStatusCode.Unauthorized, await browser.GetStatusAsync("/auth/me"));
        Assert.Equal(HttpStatusCode.OK, await other.GetStatusAsync("/auth/me"));
        using var again = await bearer.PostAsync("/auth/signout", null);
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
    }

    [Fact]
    public async Task SignOutEverywhere_EndsAll()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var other = await Browser.SignInAsync(pulse, browser.UserId);

        using var response = await browser.PostAsync("/auth/signout/everywhere");

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        response.AssertCookieCleared();
        Assert.Equal(HttpStatusCode.Unauthorized, await browser.GetStatusAsync("/auth/me"));
        Assert.Equal(HttpStatusCode.Unauthorized, await other.GetStatusAsync("/auth/me"));
    }

    [Fact]
    public async Task SignOut_WithATokenWithoutSession_IsRefusedWithTheReason()
    {
        using var client = pulse.As(Auth.TestTokens.Hs256(Auth.TestTokens.Claims()));
        using var response = await client.PostAsync("/auth/signout", null);

        await response.ReadProblemAsync(HttpStatusCode.BadRequest, "no-session");
    }

    [Fact]
    public async Task SignOut_FormAfterTheEnd_LeadsToTheSignInPage()
    {
        using var browser = await Browser.SignInAsync(pulse);
        await browser.Sessions.EndAllAsync();

        using var response = await browser.PostAsync("/auth/signout", new FormUrlEncodedContent([]));

        Assert.Equal((HttpStatusCode.SeeOther, "/signin"), (response.StatusCode, response.Headers.Location?.OriginalString));
    }

    private static async Task<string> GetTokenAsync(Browser browser)
    {
        using var response = await browser.PostAsync("/auth/token");
        return (string)(await response.ReadAsync(HttpStatusCode.OK))["accessToken"]!;
    }

    private static async Task<string> CurrentIdAsync(Browser browser)
    {
        using var response = await browser.GetAsync("/auth/sessions");
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray().Single(session => (bool)session!["current"]!)!["id"]!;
    }

    private static JsonObject Payload(string token) =>
        JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]))!.AsObject();

    private static string Text(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
