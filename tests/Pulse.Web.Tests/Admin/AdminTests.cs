using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.Presence;
using Pulse.Web.Tests.Sessions;

namespace Pulse.Web.Tests.Admin;

/// <summary>The operators' REST API, and its effects on users.</summary>
public sealed class AdminTests(AdminPulse pulse) : IClassFixture<AdminPulse>, IDisposable
{
    private readonly HttpClient _operator = pulse.Operator();

    public void Dispose()
    {
        pulse.Calls.Before = pulse.Calls.After = null;
        _operator.Dispose();
    }

    [Theory]
    [InlineData("/admin/users")]
    [InlineData("/admin/users/01a203bc-2925-7049-9285-cf93ae1b00ea")]
    [InlineData("/admin/users/01a203bc-2925-7049-9285-cf93ae1b00ea/export")]
    [InlineData("/admin/users/01a203bc-2925-7049-9285-cf93ae1b00ea/sessions")]
    [InlineData("/admin/users/01a203bc-2925-7049-9285-cf93ae1b00ea/connections")]
    public async Task Request_WithoutTheKey_IsRefused_AndLearnsNothing(string path)
    {
        foreach (var (scheme, key) in new[] { ("Bearer", "wrong"), ("Bearer", TestTokens.Hs256(TestTokens.Claims())), ("Basic", AdminPulse.Key) })
        {
            using var client = new HttpClient { BaseAddress = pulse.Address };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(scheme, key);
            using var response = await client.GetAsync(path);
            // Ten wrong keys a minute get 401, further ones 429.
            if (response.StatusCode == HttpStatusCode.TooManyRequests) await response.ReadProblemAsync(HttpStatusCode.TooManyRequests, "too-many-requests");
            else await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "admin-key-wrong");
        }
    }

    [Fact]
    public async Task WrongKeys_AreLimited_RightKeyIsAccepted()
    {
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 30; i++)
        {
            using var response = await pulse.Anonymous.GetAsync("/admin/users");
            statuses.Add(response.StatusCode);
            if (response.StatusCode == HttpStatusCode.TooManyRequests) Assert.NotNull(response.Headers.RetryAfter);
        }

        Assert.Contains(HttpStatusCode.TooManyRequests, statuses);
        // Ten a minute, and the next minute may begin meanwhile.
        Assert.InRange(statuses.Count(status => status == HttpStatusCode.Unauthorized), 0, 20);
        using var right = await _operator.GetAsync("/admin/users");
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task Users_AreFoundById_ByAddress_AndPageByPage()
    {
        using var ada = await Browser.SignInAsync(pulse);
        var email = $"{ada.UserId:N}@browser.example";

        Assert.Equal([ada.UserId], await IdsAsync($"?id={ada.UserId}"));
        Assert.Equal([ada.UserId], await IdsAsync($"?email={email.ToUpperInvariant()}"));
        Assert.Contains(ada.UserId, await IdsAsync(""));
        Assert.DoesNotContain(ada.UserId, await IdsAsync($"?after={ada.UserId}"));
        Assert.Empty(await IdsAsync($"?id={Guid.NewGuid()}"));
        foreach (var (query, member) in new[] { ("?id=x", "id"), ("?email=x", "email"), ("?after=x", "after"), ($"?id={ada.UserId}&email={email}", "id") })
        {
            using var refused = await _operator.GetAsync($"/admin/users{query}");
            await refused.AssertInvalidAsync(member);
        }

        async Task<Guid[]> IdsAsync(string query)
        {
            using var response = await _operator.GetAsync($"/admin/users{query}");
            return [.. (await response.ReadAsync(HttpStatusCode.OK))["items"]!.AsArray().Select(item => (Guid)item!["id"]!)];
        }
    }

    [Fact]
    public async Task Address_OfAnOwnerAndOfAnEarlierClaim_FindsTheOwnerFirst()
    {
        var email = $"{Guid.NewGuid():N}@example.com";
        var (claimant, owner) = (Guid.CreateVersion7(DateTimeOffset.UnixEpoch), Guid.CreateVersion7());
        using (var mallory = pulse.As(TestTokens.Hs256(TestTokens.Claims(claimant))))
        using (var stated = await mallory.PostJsonAsync("/auth/sync", $$"""{"email":"{{email}}"}"""))
            Assert.Equal(HttpStatusCode.Created, stated.StatusCode);
        var proof = TestTokens.Claims(owner, email);
        proof["email_verified"] = true;
        using (var heidi = pulse.As(TestTokens.Hs256(proof)))
        using (var proven = await heidi.PostJsonAsync("/auth/sync", "{}"))
            Assert.Equal(HttpStatusCode.Created, proven.StatusCode);

        var items = (await AdminGetAsync($"/admin/users?email={email}"))["items"]!.AsArray();

        Assert.Equal([(owner, true), (claimant, false)], items.Select(item => ((Guid)item!["id"]!, (bool)item["emailVerified"]!)));
    }

    [Fact]
    public async Task DisabledUser_IsRefusedOnEveryPath_UntilEnabled()
    {
        using var ada = await Browser.SignInAsync(pulse);
        var token = TestTokens.Hs256(TestTokens.Claims(ada.UserId));
        using var other = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        await using var socket = await HubClient.ConnectAsync(pulse.Address, token);

        await DoAsync(HttpMethod.Post, $"/admin/users/{ada.UserId}/disable");

        Assert.Equal("user-removed", (await socket.NextAsync("SessionEnded")).GetProperty("reason").GetString());
        await socket.Closed;
        Assert.Equal(HttpStatusCode.Unauthorized, await ada.GetStatusAsync("/auth/me"));
        await AssertRefusedAsync(pulse, token, "user-disabled");
        using (var hidden = await other.GetAsync($"/users/{ada.UserId}")) await hidden.ReadProblemAsync(HttpStatusCode.NotFound, "user-not-found");
        Assert.NotNull((await AdminGetAsync($"/admin/users/{ada.UserId}"))["disabledAt"]);
        await Assert.ThrowsAnyAsync<Exception>(() => ada.StartSessionAsync().ContinueWith(session => session.Result.Id));

        await DoAsync(HttpMethod.Post, $"/admin/users/{ada.UserId}/enable");

        using var again = pulse.As(token);
        using (var me = await again.GetAsync("/auth/me")) await me.ReadAsync(HttpStatusCode.OK);
        await using var connected = await HubClient.ConnectAsync(pulse.Address, token);
        using var shown = await other.GetAsync($"/users/{ada.UserId}");
        Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
    }

    [Fact]
    public async Task ErasedUser_IsNotFound_AndTokensCannotCreateItAgain()
    {
        using var ada = await Browser.SignInAsync(pulse);
        var token = TestTokens.Hs256(TestTokens.Claims(ada.UserId, $"{ada.UserId:N}@browser.example"));
        await using var socket = await HubClient.ConnectAsync(pulse.Address, token);

        await DoAsync(HttpMethod.Delete, $"/admin/users/{ada.UserId}");

        Assert.Equal("user-removed", (await socket.NextAsync("SessionEnded")).GetProperty("reason").GetString());
        await AssertRefusedAsync(pulse, token, "user-erased");
        Assert.Equal(HttpStatusCode.Unauthorized, await ada.GetStatusAsync("/auth/me"));
        using var gone = await _operator.GetAsync($"/admin/users/{ada.UserId}");
        await gone.ReadProblemAsync(HttpStatusCode.NotFound, "user-not-found");
        await DoAsync(HttpMethod.Delete, $"/admin/users/{ada.UserId}");
        using var unknown = await _operator.DeleteAsync($"/admin/users/{Guid.NewGuid()}");
        await unknown.ReadProblemAsync(HttpStatusCode.NotFound, "user-not-found");
    }

    [Fact]
    public async Task SessionsAndConnections_AreListed_AndEndedOneByOne()
    {
        using var ada = await Browser.SignInAsync(pulse);
        await using var socket = await HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(ada.UserId)));

        var session = Assert.Single((await AdminListAsync($"/admin/users/{ada.UserId}/sessions")));
        var connection = Assert.Single((await AdminListAsync($"/admin/users/{ada.UserId}/connections")));
        Assert.Equal("online", (string?)connection!["status"]);
        var export = await AdminGetAsync($"/admin/users/{ada.UserId}/export");
        Assert.Equal($"{ada.UserId:N}@browser.example", (string?)export["user"]!["email"]);
        Assert.Single(export["sessions"]!.AsArray());

        await DoAsync(HttpMethod.Delete, $"/admin/users/{ada.UserId}/connections/{connection["id"]}");
        var ended = await socket.NextAsync("SessionEnded");
        Assert.Equal(("closed-by-operator", true), (ended.GetProperty("reason").GetString(), ended.GetProperty("mayReconnect").GetBoolean()));
        Assert.Equal(HttpStatusCode.OK, await ada.GetStatusAsync("/auth/me"));
        await DoAsync(HttpMethod.Delete, $"/admin/users/{ada.UserId}/sessions/{session!["id"]}");
        Assert.Equal(HttpStatusCode.Unauthorized, await ada.GetStatusAsync("/auth/me"));
    }

    [Fact]
    public async Task KeyRotation_PublishesANewKey_AndKeepsUsersSignedIn()
    {
        using var ada = await Browser.SignInAsync(pulse);
        var before = await TokenAsync();
        using var rotated = await _operator.PostAsync("/admin/keys/rotate?atOnce=true", null);
        var kid = (string?)(await rotated.ReadAsync(HttpStatusCode.OK))["kid"];

        var published = JsonNode.Parse(await pulse.Anonymous.GetStringAsync("/.well-known/jwks.json"))!["keys"]!.AsArray();
        Assert.Contains(kid, published.Select(key => (string?)key!["kid"]));
        foreach (var token in new[] { before, await TokenAsync() })
        {
            using var client = pulse.As(token);
            using var me = await client.GetAsync("/auth/me");
            Assert.Equal(HttpStatusCode.OK, me.StatusCode);
        }

        async Task<string> TokenAsync()
        {
            using var response = await ada.PostAsync("/auth/token");
            return (string)(await response.ReadAsync(HttpStatusCode.OK))["accessToken"]!;
        }
    }

    [Theory]
    [InlineData("GET", "/admin/users?email=x", "validation")]
    [InlineData("GET", "/admin/users/{id}", "user-not-found")]
    [InlineData("DELETE", "/admin/users/{id}", "user-not-found")]
    [InlineData("GET", "/admin/users/{id}/export", "user-not-found")]
    [InlineData("POST", "/admin/users/{id}/disable", "user-not-found")]
    [InlineData("POST", "/admin/users/{id}/enable", "user-not-found")]
    [InlineData("GET", "/admin/users/{id}/sessions", "user-not-found")]
    [InlineData("DELETE", "/admin/users/{id}/sessions/{id}", "session-not-found")]
    [InlineData("DELETE", "/admin/users/{id}/connections/none", "connection-not-found")]
    public async Task RefusedRequest_IsOneAuditLine_WithTheProblem(string method, string path, string problem)
    {
        var (before, id) = (pulse.AuditLines.Count(), Guid.CreateVersion7());

        using var response = await _operator.SendAsync(new(new(method), path.Replace("{id}", $"{id}", StringComparison.Ordinal)));

        await response.ReadProblemAsync(response.StatusCode, problem);
        var line = Assert.Single(pulse.AuditLines.Skip(before));
        Assert.Equal(("admin-refused", problem, path.Contains("{id}", StringComparison.Ordinal) ? id : null), (line["EventName"], line["Reason"], (Guid?)line["UserId"]));
    }

    [Fact]
    public async Task Read_WithoutAnAnswerOfASilo_IsOneAuditLine()
    {
        pulse.Calls.Before = call => call == nameof(IPeopleGrain.ListAfterAsync) ? throw new TimeoutException("Made by the test.") : Task.CompletedTask;
        var before = pulse.AuditLines.Count();

        using var response = await _operator.GetAsync("/admin/users");

        await response.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");
        var line = Assert.Single(pulse.AuditLines.Skip(before));
        Assert.Equal(("admin-refused", "unavailable"), (line["EventName"], line["Reason"]));
    }

    [Theory]
    [InlineData("POST", "/disable", nameof(IUserGrain.SetDisabledAsync), "admin-disabled")]
    [InlineData("POST", "/enable", nameof(IUserGrain.SetDisabledAsync), "admin-enabled")]
    [InlineData("DELETE", "", nameof(IUserGrain.EraseAsync), "admin-erased")]
    [InlineData("DELETE", "/sessions/{session}", nameof(IUserSessionsGrain.EndAsync), "admin-session-ended")]
    [InlineData("DELETE", "/connections/{connection}", nameof(IUserGrain.CloseConnectionAsync), "admin-connection-closed")]
    [InlineData("POST", "/keys/rotate", nameof(IKeyRingGrain.TryAddKeyAsync), "admin-keys-rotated")]
    public async Task ChangeWhoseAnswerIsLost_IsOneAuditLine(string method, string path, string call, string name)
    {
        using var ada = await Browser.SignInAsync(pulse);
        await using var socket = await HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(ada.UserId)));
        var session = Assert.Single(await ada.Sessions.ListAsync()).Id;
        var connection = Assert.Single(await ada.User.ListConnectionsAsync()).ConnectionId;
        pulse.Calls.After = called => called == call ? throw new TimeoutException("Made by the test.") : Task.CompletedTask;
        var before = pulse.AuditLines.Count();

        var address = path == "/keys/rotate" ? $"/admin{path}" : $"/admin/users/{ada.UserId}{path}";
        using var response = await _operator.SendAsync(new(
            new(method), address.Replace("{session}", $"{session}", StringComparison.Ordinal).Replace("{connection}", connection, StringComparison.Ordinal)));

        await response.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");
        var line = Assert.Single(pulse.AuditLines.Skip(before), line => ((string)line["EventName"]!).StartsWith("admin-", StringComparison.Ordinal));
        Assert.Equal((name, "outcome-unknown"), (line["EventName"], line["Reason"]));
    }

    [Fact]
    public async Task WithoutAKey_ThereIsNoAdminApi()
    {
        await using var plain = new PlainPulse();
        await plain.Application.InitializeAsync();
        using var client = new HttpClient { BaseAddress = plain.Application.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AdminPulse.Key);

        using var response = await client.GetAsync("/admin/users");

        await response.ReadProblemAsync(HttpStatusCode.NotFound, "not-found");
    }

    [Theory]
    [InlineData("short", "at least 32 bytes")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "different characters")]
    [InlineData("a key with white space in it, long enough as it is", "a header can carry")]
    public void WeakKey_IsRefusedAtStart(string key, string why)
    {
        var result = ValidateKey(key);

        Assert.Contains(why, result.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("Pulse:Admin:Key", result.FailureMessage, StringComparison.Ordinal);
        Assert.DoesNotContain(key, result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Key_ThatIsAlsoTheSigningKey_IsRefused()
    {
        var key = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        Assert.True(ValidateKey(key, signingKey: TestTokens.Key).Succeeded);
        Assert.Contains("Pulse:Admin:Key and Pulse:Auth:SigningKey are the same", ValidateKey(key, signingKey: key).FailureMessage, StringComparison.Ordinal);
    }

    private static ValidateOptionsResult ValidateKey(string key, string? signingKey = null)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Pulse:Auth:SigningKey", signingKey)]).Build();
        return new Pulse.Web.Admin.AdminOptionsValidator(configuration).Validate(null, new() { Key = key });
    }

    /// <summary>Tries a token on every path that accepts tokens.</summary>
    internal static async Task AssertRefusedAsync(PulseApplication pulse, string token, string problem)
    {
        using var client = pulse.As(token);
        foreach (var (method, path) in new (string, string)[]
        {
            ("POST", "/auth/sync"), ("GET", "/auth/me"), ("GET", $"/users/{Guid.NewGuid()}"), ("GET", $"/presence?ids={Guid.NewGuid()}"), ("GET", "/auth/sessions"),
            ("GET", "/auth/accounts"), ("POST", "/auth/signout/everywhere"),
        })
        {
            using var response = await client.SendAsync(new(new(method), path));
            await response.ReadProblemAsync(HttpStatusCode.Unauthorized, problem);
            Assert.Contains("invalid_token", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }

        await using var socket = HubClient.Create(pulse.Address, token);
        await socket.Connection.StartAsync();
        Assert.Equal("user-removed", (await socket.NextAsync("SessionEnded")).GetProperty("reason").GetString());
        await socket.Closed;
        Assert.DoesNotContain("Connected", socket.Told);
    }

    private async Task DoAsync(HttpMethod method, string path)
    {
        using var response = await _operator.SendAsync(new(method, path));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private async Task<JsonObject> AdminGetAsync(string path)
    {
        using var response = await _operator.GetAsync(path);
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private async Task<JsonArray> AdminListAsync(string path)
    {
        using var response = await _operator.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray();
    }

    private sealed class PlainPulse : IAsyncDisposable
    {
        public PulseApplication Application { get; } = new();

        public async ValueTask DisposeAsync() => await Application.DisposeAsync();
    }
}
