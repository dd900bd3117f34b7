using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Identity;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Users;

[Collection(SharedPulse.Name)]
public sealed class SyncTests(PulseApplication pulse)
{
    private static readonly string[] s_members = ["id", "email", "name", "avatar", "createdAt", "lastSeen", "emailVerified"];

    [Fact]
    public async Task Sync_OwnTokenTwice_CreatesThenAgrees()
    {
        var userId = Guid.NewGuid();
        var email = NewEmail();
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims(userId, email.ToUpperInvariant())));

        using var first = await client.PostJsonAsync("/auth/sync", """{"name":"Ada","avatar":"https://example.com/a.png"}""");
        var created = await first.ReadAsync(HttpStatusCode.Created);
        using var second = await client.PostJsonAsync("/auth/sync", null);
        var again = await second.ReadAsync(HttpStatusCode.OK);
        using var third = await client.GetAsync("/auth/me");
        var me = await third.ReadAsync(HttpStatusCode.OK);

        Assert.Equal($"/users/{userId}", first.Headers.Location?.OriginalString);
        Assert.Equal(s_members, created.Select(member => member.Key));
        Assert.Equal((userId.ToString(), email, "Ada", "https://example.com/a.png"), ((string?)created["id"], (string?)created["email"], (string?)created["name"], (string?)created["avatar"]));
        Assert.Null(created["lastSeen"]);
        Assert.EndsWith("Z", (string?)created["createdAt"], StringComparison.Ordinal);
        Assert.InRange(DateTimeOffset.Parse((string)created["createdAt"]!, CultureInfo.InvariantCulture), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
        Assert.Equal(created.ToJsonString(), again.ToJsonString());
        Assert.Equal(created.ToJsonString(), me.ToJsonString());
        Assert.All([first, second, third], response => Assert.True(response.Headers.CacheControl?.NoStore));
    }

    [Fact]
    public async Task Sync_TrustedIssuersTokens_GiveEachSubjectOneUser()
    {
        var (subject, email) = ($"them|{Guid.NewGuid()}", NewEmail());
        var claims = TestTokens.Claims(PulseApplication.TrustedIssuer, subject, email);
        (claims["name"], claims["picture"]) = ("Ada of them", "https://example.com/p.png");
        using var client = pulse.As(TestTokens.Hs256(claims, TestTokens.OtherKey));

        using var before = await client.GetAsync("/auth/me");
        using var first = await client.PostJsonAsync("/auth/sync", "{}");
        using var second = await client.PostJsonAsync("/auth/sync", """{"name":"Countess","email":null}""");
        using var after = await client.GetAsync("/auth/me");

        Assert.Contains("POST /auth/sync", (string?)(await before.ReadProblemAsync(HttpStatusCode.NotFound, "not-synced"))["detail"], StringComparison.Ordinal);
        var created = await first.ReadAsync(HttpStatusCode.Created);
        var updated = await second.ReadAsync(HttpStatusCode.OK);
        Assert.Equal((email, "Ada of them", "https://example.com/p.png"), ((string?)created["email"], (string?)created["name"], (string?)created["avatar"]));
        Assert.Equal(((string?)created["id"], "Countess"), ((string?)updated["id"], (string?)updated["name"]));
        Assert.Equal(updated.ToJsonString(), (await after.ReadAsync(HttpStatusCode.OK)).ToJsonString());
    }

    [Fact]
    public async Task Sync_SameSubjectOfTwoIssuers_IsTwoUsers()
    {
        var id = Guid.NewGuid();
        using var own = pulse.As(TestTokens.Hs256(TestTokens.Claims(id, NewEmail())));
        using var theirs = pulse.As(TestTokens.Hs256(TestTokens.Claims(PulseApplication.TrustedIssuer, id.ToString(), NewEmail()), TestTokens.OtherKey));

        using var first = await own.PostJsonAsync("/auth/sync", null);
        using var second = await theirs.PostJsonAsync("/auth/sync", null);

        Assert.NotEqual((string?)(await first.ReadAsync(HttpStatusCode.Created))["id"], (string?)(await second.ReadAsync(HttpStatusCode.Created))["id"]);
    }

    [Fact]
    public async Task Sync_AnotherUsersEmail_IsRefusedAndChangesNothing()
    {
        var email = NewEmail();
        using var first = pulse.As(TestTokens.Hs256(Proven(TestTokens.Claims(email: email))));
        using var second = pulse.As(TestTokens.Hs256(Proven(TestTokens.Claims(email: email.ToUpperInvariant()))));
        using var created = await first.PostJsonAsync("/auth/sync", """{"name":"First"}""");
        await created.ReadAsync(HttpStatusCode.Created);

        using var refused = await second.PostJsonAsync("/auth/sync", """{"name":"Second"}""");
        using var missing = await second.GetAsync("/auth/me");
        using var unchanged = await first.GetAsync("/auth/me");

        await refused.ReadProblemAsync(HttpStatusCode.Conflict, "account-exists");
        await missing.ReadProblemAsync(HttpStatusCode.NotFound, "not-synced");
        Assert.Equal("First", (string?)(await unchanged.ReadAsync(HttpStatusCode.OK))["name"]);
    }

    [Fact]
    public async Task Sync_NewUserWithoutEmail_SaysThatOneIsNeeded()
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims()));

        using var refused = await client.PostJsonAsync("/auth/sync", """{"name":"Ada"}""");
        using var created = await client.PostJsonAsync("/auth/sync", new JsonObject { ["email"] = NewEmail() }.ToJsonString());
        using var updated = await client.PostJsonAsync("/auth/sync", """{"name":"Ada"}""");

        var problem = await refused.ReadProblemAsync(HttpStatusCode.BadRequest, "email-missing");
        Assert.True(problem["errors"]!.AsObject().ContainsKey("email"));
        await created.ReadAsync(HttpStatusCode.Created);
        Assert.Equal("Ada", (string?)(await updated.ReadAsync(HttpStatusCode.OK))["name"]);
    }

    [Fact]
    public async Task Sync_HundredAtOnceForOneNewIdentity_MakeOneUser()
    {
        using var client = pulse.As(TestTokens.Hs256(
            TestTokens.Claims(PulseApplication.TrustedIssuer, Guid.NewGuid().ToString(), NewEmail()), TestTokens.OtherKey));

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            using var response = await client.PostJsonAsync("/auth/sync", """{"name":"Ada"}""");
            return (response.StatusCode, Body: await response.Content.ReadAsStringAsync());
        }));

        Assert.Single(answers.Select(answer => answer.Body).Distinct());
        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.Created));
        Assert.Equal(99, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
    }

    [Theory]
    [InlineData("pulse", TestTokens.Key)]
    [InlineData(PulseApplication.TrustedIssuer, TestTokens.OtherKey)]
    public async Task Sync_FiftyIdentitiesForOneEmail_HaveOneWinner(string issuer, string key)
    {
        var email = NewEmail();

        var statuses = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            using var client = pulse.As(TestTokens.Hs256(Proven(TestTokens.Claims(issuer, Guid.NewGuid().ToString(), email)), key));
            using var response = await client.PostJsonAsync("/auth/sync", null);
            return response.StatusCode;
        }));

        Assert.Equal(1, statuses.Count(status => status == HttpStatusCode.Created));
        Assert.Equal(49, statuses.Count(status => status == HttpStatusCode.Conflict));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sync_UnprovenEmail_GetsTheSameAnswerWhetherItIsRegisteredOrFree(bool inToken)
    {
        var (registered, free) = (NewEmail(), NewEmail());
        using var owner = pulse.As(TestTokens.Hs256(Proven(TestTokens.Claims(email: registered))));
        using var owned = await owner.PostJsonAsync("/auth/sync", null);
        await owned.ReadAsync(HttpStatusCode.Created);

        var answers = new List<string>();
        foreach (var email in new[] { registered, free })
        {
            var userId = Guid.NewGuid();
            using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims(userId, inToken ? email : null)));
            var body = inToken ? "{}" : $$"""{"email":"{{email}}","name":"Eve"}""";
            using var first = await client.PostJsonAsync("/auth/sync", body);
            using var second = await client.PostJsonAsync("/auth/sync", body);
            var (created, again) = (await first.ReadAsync(HttpStatusCode.Created), await second.ReadAsync(HttpStatusCode.OK));
            Assert.Equal((email, false), ((string?)created["email"], (bool)created["emailVerified"]!));
            created.Remove("createdAt");
            again.Remove("createdAt");
            answers.Add($"{created.ToJsonString()}{again.ToJsonString()}".Replace(userId.ToString(), "id", StringComparison.Ordinal)
                .Replace(email, "email", StringComparison.Ordinal).Replace(email.Split('@')[0], "name", StringComparison.Ordinal));

            using var seen = await owner.GetAsync($"/users/{userId}");
            Assert.Equal(["id", "name", "avatar"], (await seen.ReadAsync(HttpStatusCode.OK)).Select(member => member.Key));
        }

        Assert.Equal(answers[1], answers[0]);
    }

    [Fact]
    public async Task Sync_UnprovenEmail_LocksNoUserOut()
    {
        var email = NewEmail();
        using var squatter = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        using var squatted = await squatter.PostJsonAsync("/auth/sync", new JsonObject { ["email"] = email }.ToJsonString());
        await squatted.ReadAsync(HttpStatusCode.Created);

        using var owner = pulse.As(TestTokens.Hs256(Proven(TestTokens.Claims(email: email))));
        using var owned = await owner.PostJsonAsync("/auth/sync", null);

        Assert.True((bool)(await owned.ReadAsync(HttpStatusCode.Created))["emailVerified"]!);
        using var me = await squatter.GetAsync("/auth/me");
        var stated = await me.ReadAsync(HttpStatusCode.OK);
        Assert.Equal((email, false), ((string?)stated["email"], (bool)stated["emailVerified"]!));
    }

    [Fact]
    public async Task Sync_TrustedIssuersProvenEmailOfAnotherUser_IsRefused()
    {
        var email = NewEmail();
        using var owner = pulse.As(TestTokens.Hs256(Proven(TestTokens.Claims(email: email))));
        using var owned = await owner.PostJsonAsync("/auth/sync", null);
        await owned.ReadAsync(HttpStatusCode.Created);

        using var stranger = pulse.As(TestTokens.Hs256(Proven(TestTokens.Claims(PulseApplication.TrustedIssuer, "stranger", email)), TestTokens.OtherKey));
        using var refused = await stranger.PostJsonAsync("/auth/sync", null);
        using var nobody = await stranger.GetAsync("/auth/me");

        await refused.ReadProblemAsync(HttpStatusCode.Conflict, "account-exists");
        await nobody.ReadProblemAsync(HttpStatusCode.NotFound, "not-synced");
    }

    [Fact]
    public async Task Sync_NameThatTheUserChose_IsKeptWhenTheTokenHasAnother()
    {
        var claims = TestTokens.Claims(PulseApplication.TrustedIssuer, $"them|{Guid.NewGuid()}", NewEmail());
        var names = new List<string?>();
        foreach (var (inToken, inBody) in new (string, string?)[] { ("Ada", null), ("Ada King", null), ("Ada King", "Countess"), ("Lovelace", null) })
        {
            claims["name"] = inToken;
            using var client = pulse.As(TestTokens.Hs256(claims, TestTokens.OtherKey));
            using var synced = await client.PostJsonAsync("/auth/sync", new JsonObject { ["name"] = inBody }.ToJsonString());
            names.Add((string?)JsonNode.Parse(await synced.Content.ReadAsStringAsync())!["name"]);
        }

        Assert.Equal(["Ada", "Ada King", "Countess", "Countess"], names);
    }

    [Fact]
    public async Task Sync_NameInTheFirstBody_CountsAsTheUsersOwnAndOutlivesLaterTokens()
    {
        var claims = TestTokens.Claims(PulseApplication.TrustedIssuer, $"them|{Guid.NewGuid()}", NewEmail());
        using (var first = pulse.As(TestTokens.Hs256(claims, TestTokens.OtherKey)))
        using (var created = await first.PostJsonAsync("/auth/sync", """{"name":"Ada","avatar":"https://example.com/ada.png"}"""))
            await created.ReadAsync(HttpStatusCode.Created);

        claims["name"] = "Ada King";
        claims["picture"] = "https://example.com/king.png";
        using var later = pulse.As(TestTokens.Hs256(claims, TestTokens.OtherKey));
        using var synced = await later.PostJsonAsync("/auth/sync", null);

        var user = await synced.ReadAsync(HttpStatusCode.OK);
        Assert.Equal(("Ada", "https://example.com/ada.png"), ((string?)user["name"], (string?)user["avatar"]));
    }

    private static JsonObject Proven(JsonObject claims)
    {
        claims["email_verified"] = true;
        return claims;
    }

    private static string NewEmail() => $"ada-{Guid.NewGuid():N}@example.com";

    [Fact]
    public async Task Sync_ThatReplacesAProvenAddress_NotifiesTheOwner()
    {
        var userId = Guid.CreateVersion7();
        foreach (var address in new[] { "old", "new", "new" })
        {
            var claims = TestTokens.Claims(userId, $"{address}-{userId:N}@example.com");
            claims["email_verified"] = true;
            using var client = pulse.As(TestTokens.Hs256(claims));
            using var synced = await client.PostJsonAsync("/auth/sync", null);
            Assert.True(synced.IsSuccessStatusCode, $"{synced.StatusCode}");
        }

        var notice = Assert.Single(await pulse.Services.GetRequiredService<IGrainFactory>().GetGrain<INoticesGrain>(userId).ListAsync());

        Assert.Equal((AccountNoticeKind.AddressChanged, $"old-{userId:N}@example.com → new-{userId:N}@example.com"), (notice.Kind, notice.Detail));
    }
}
