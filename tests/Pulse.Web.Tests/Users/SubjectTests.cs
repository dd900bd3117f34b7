using System.Net;
using System.Text.Json.Nodes;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Users;

/// <summary>The rights of a trusted issuer over its subjects, and their limits.</summary>
[Collection(SharedPulse.Name)]
public sealed class SubjectTests(PulseApplication pulse)
{
    [Fact]
    public async Task Subjects_OfTheIssuer_AreFound_AndNoOthers()
    {
        var subjects = Enumerable.Range(0, 3).Select(number => $"them|{number} {Guid.NewGuid()}").ToArray();
        var ids = new List<string?>();
        foreach (var subject in subjects[..2])
        {
            using var theirs = Theirs(subject);
            using var synced = await theirs.PostJsonAsync("/auth/sync", new JsonObject { ["email"] = $"{Guid.NewGuid():N}@example.com" }.ToJsonString());
            ids.Add((string?)(await synced.ReadAsync(HttpStatusCode.Created))["id"]);
        }

        using var client = Theirs(subjects[2]);
        using var response = await client.GetAsync($"/users?subject={Uri.EscapeDataString(string.Join(',', subjects))}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var found = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsArray();
        Assert.Equal(subjects[..2].Zip(ids), found.Select(one => ((string)one!["subject"]!, (string?)one["id"])));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(201)]
    public async Task Subjects_TooManyOrNone_AreRefused(int count)
    {
        using var client = Theirs("any");
        using var response = await client.GetAsync($"/users?subject={string.Join(',', Enumerable.Range(0, count))}");
        await response.AssertInvalidAsync("subject");
    }

    [Theory]
    [InlineData("%00")]
    [InlineData("a%0Ab")]
    public async Task Subjects_WithControlCharacters_AreRefused(string subject)
    {
        using var client = Theirs("any");
        using var response = await client.GetAsync($"/users?subject={subject}");
        await response.AssertInvalidAsync("subject");
    }

    [Theory]
    [InlineData("\0")]
    [InlineData("them\u0085")]
    public async Task Token_WhoseSubjectHasControlCharacters_IsRefused(string subject)
    {
        using var client = Theirs($"any {subject}");
        foreach (var path in new[] { "/auth/me", "/users?subject=any" })
        {
            using var response = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    [Fact]
    public async Task Subjects_AskedByAPulseToken_AreRefused()
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        using var response = await client.GetAsync("/users?subject=any");
        await response.ReadProblemAsync(HttpStatusCode.Forbidden, "forbidden");
    }

    [Fact]
    public async Task TrustedIssuersToken_UnlinksNoAccount()
    {
        var subject = $"them|{Guid.NewGuid()}";
        var claims = TestTokens.Claims(PulseApplication.TrustedIssuer, subject, $"{Guid.NewGuid():N}@example.com");
        (claims["auth_time"], claims["sid"]) = (TestTokens.In(0), Guid.NewGuid().ToString());
        using var client = pulse.As(TestTokens.Hs256(claims, TestTokens.OtherKey));
        using var synced = await client.PostJsonAsync("/auth/sync", null);
        await synced.ReadAsync(HttpStatusCode.Created);

        using var refused = await client.DeleteAsync($"/auth/accounts/{Uri.EscapeDataString(PulseApplication.TrustedIssuer)}");

        await refused.ReadProblemAsync(HttpStatusCode.Forbidden, "forbidden");
    }

    private HttpClient Theirs(string subject) => pulse.As(TestTokens.Hs256(TestTokens.Claims(PulseApplication.TrustedIssuer, subject), TestTokens.OtherKey));
}
