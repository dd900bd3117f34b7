using System.Net;
using System.Text.Json.Nodes;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Users;

/// <summary>The data that a caller may see of other users.</summary>
[Collection(SharedPulse.Name)]
public sealed class LookupTests(PulseApplication pulse)
{
    [Fact]
    public async Task GetUser_Another_ShowsThePublicPartOnly()
    {
        var userId = Guid.NewGuid();
        using var ada = pulse.As(TestTokens.Hs256(TestTokens.Claims(userId, $"{userId:N}@example.com")));
        using var created = await ada.PostJsonAsync("/auth/sync", """{"name":"Ada"}""");
        await created.ReadAsync(HttpStatusCode.Created);
        using var eve = pulse.As(TestTokens.Hs256(TestTokens.Claims()));

        using var response = await eve.GetAsync($"/users/{userId.ToString().ToUpperInvariant()}");

        var user = await response.ReadAsync(HttpStatusCode.OK);
        Assert.Equal($$"""{"id":"{{userId}}","name":"Ada","avatar":null}""", user.ToJsonString());
    }

    [Fact]
    public async Task GetUser_Unknown_IsNotFound()
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        using var response = await client.GetAsync($"/users/{Guid.NewGuid()}");
        await response.ReadProblemAsync(HttpStatusCode.NotFound, "user-not-found");
    }

    [Theory]
    [InlineData("1")]
    [InlineData("me")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("3b241101e2bb42558caf4136c566a962")]
    [InlineData("{3b241101-e2bb-4255-8caf-4136c566a962}")]
    [InlineData("3b241101-e2bb-4255-8caf-4136c566a962%20")]
    [InlineData("%2e%2e%2fhealth")]
    public async Task GetUser_IdThatIsNoUuid_NamesIt(string id)
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        using var response = await client.GetAsync($"/users/{id}");
        await response.AssertInvalidAsync("id");
    }

    [Theory]
    [InlineData("/presence", "ids")]
    [InlineData("/presence?ids=", "ids")]
    [InlineData("/presence?ids=nobody", "ids")]
    [InlineData("/presence?ids=3b241101-e2bb-4255-8caf-4136c566a962,nobody", "ids")]
    [InlineData("/presence?ids=%00", "ids")]
    public async Task GetPresence_BadIds_AreNamed(string path, string member)
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        using var response = await client.GetAsync(path);
        await response.AssertInvalidAsync(member);
    }

    [Fact]
    public async Task GetPresence_OneTooMany_IsRefused()
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        using var response = await client.GetAsync($"/presence?ids={Ids(201)}");
        await response.AssertInvalidAsync("ids");
    }

    [Fact]
    public async Task GetPresence_ManyUnknownUsers_AreOfflineInTheOrderAsked()
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        var ids = Ids(200);

        using var response = await client.GetAsync($"/presence?ids={ids.Replace(",", "&ids=", StringComparison.Ordinal)}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var answers = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray();
        Assert.Equal(ids.Split(','), answers.Select(answer => (string?)answer!["userId"]));
        Assert.All(answers, answer => Assert.Equal(
            $$"""{"userId":"{{answer!["userId"]}}","status":"offline","message":null,"lastSeen":null}""", answer.ToJsonString()));
    }

    private static string Ids(int count) => string.Join(',', Enumerable.Range(0, count).Select(_ => Guid.NewGuid()));
}
