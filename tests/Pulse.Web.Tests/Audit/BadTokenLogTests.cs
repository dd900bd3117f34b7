using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Audit;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Audit;

/// <summary>The log lines of requests with bad tokens.</summary>
public sealed class BadTokenLogTests(AuditApplication pulse) : IClassFixture<AuditApplication>
{
    [Fact]
    public async Task BadTokens_AreOneShortLine_WithoutKeyMaterialOrTextOfTheSender()
    {
        var address = pulse.NewAddress();
        using var client = new AuditClient(pulse, address);
        var before = pulse.Log.Lines.Count;
        var kid = new string('k', 4_000);
        var payload = TestTokens.Claims().ToJsonString();
        var token = TestTokens.Raw(new JsonObject { ["alg"] = "HS256", ["kid"] = kid }, payload)[..^4] + "AAAA";

        for (var i = 0; i < 50; i++) Assert.Equal(HttpStatusCode.Unauthorized, (await client.WithTokenAsync(HttpMethod.Get, "/auth/me", token)).Status);

        // Background work has lines of its own.
        var line = Assert.Single(pulse.Log.Lines.Skip(before), line =>
            line.Category == AuditLog.Category || line.Category.Contains("Auth", StringComparison.Ordinal) || line.Text.Contains("oken", StringComparison.Ordinal));
        Assert.Equal((AuditLog.Category, "token-refused", "signature"), (line.Category, line["EventName"], line["Reason"]));
        Assert.True(line.Text.Length < 300, line.Text);
        Assert.DoesNotContain("kkkk", line.Text, StringComparison.Ordinal);
        foreach (var thumbprint in Thumbprints()) Assert.DoesNotContain(thumbprint, line.Text, StringComparison.Ordinal);
    }

    // The token library names a key in its messages by its thumbprint (RFC 7638).
    private static string[] Thumbprints()
    {
        var key = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(TestTokens.Key));
        return [Base64UrlEncoder.Encode(key.ComputeJwkThumbprint()), Convert.ToHexString(SHA256.HashData(key.Key))];
    }
}
