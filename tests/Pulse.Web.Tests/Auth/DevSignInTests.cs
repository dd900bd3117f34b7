using System.Net;
using System.Text.Json.Nodes;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Auth;

[Collection(SharedPulse.Name)]
public sealed class DevSignInTests(PulseApplication pulse)
{
    [Fact]
    public async Task SignIn_SameEmailTwice_IsOneUserWithATokenThatWorks()
    {
        var email = $"dev-{Guid.NewGuid():N}@example.com";

        var first = await SignInAsync(new JsonObject { ["email"] = email, ["name"] = "Ada" });
        var second = await SignInAsync(new JsonObject { ["email"] = email.ToUpperInvariant() });

        Assert.Equal(["accessToken", "expiresAt"], first.Select(member => member.Key));
        Assert.EndsWith("Z", (string?)first["expiresAt"], StringComparison.Ordinal);
        var (one, two) = (await MeAsync(first), await MeAsync(second));
        Assert.Equal((email, "Ada"), ((string?)one["email"], (string?)one["name"]));
        Assert.Equal(one.ToJsonString(), two.ToJsonString());
    }

    [Theory]
    [InlineData("{}", "email")]
    [InlineData("{\"email\":\"nobody\"}", "email")]
    [InlineData("{\"email\":\"a@example.com\",\"name\":\" \"}", "name")]
    [InlineData("{\"email\":\"a@example.com\",\"admin\":true}", "admin")]
    public async Task SignIn_BadInput_NamesTheMember(string body, string member)
    {
        using var response = await pulse.Anonymous.PostJsonAsync("/auth/dev", body);
        await response.AssertInvalidAsync(member);
    }

    private async Task<JsonObject> SignInAsync(JsonObject body)
    {
        using var response = await pulse.Anonymous.PostJsonAsync("/auth/dev", body.ToJsonString());
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private async Task<JsonObject> MeAsync(JsonObject token)
    {
        using var client = pulse.As((string)token["accessToken"]!);
        using var response = await client.GetAsync("/auth/me");
        return await response.ReadAsync(HttpStatusCode.OK);
    }
}
