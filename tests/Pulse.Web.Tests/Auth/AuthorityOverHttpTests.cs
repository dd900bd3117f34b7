using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pulse.Web.Audit;
using Pulse.Web.Http;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Auth;

/// <summary>
/// An issuer with published keys, through the HTTP pipeline, because that path has a handler of its own before the shared rules.
/// </summary>
public sealed class AuthorityOverHttpTests
{
    [Fact]
    public async Task Request_OnlyATokenUnderAPublishedKey_IsAccepted()
    {
        using var key = RSA.Create(2048);
        using var other = RSA.Create(2048);
        await using var provider = await TestIdentityProvider.StartAsync();
        provider.Publish(("one", key));
        await using var app = await StartAsync(provider.Url);

        using var good = await GetAsync(app, TestTokens.Rs256(TestTokens.Claims(provider.Url, "ada"), key, "one"));
        using var bad = await GetAsync(app, TestTokens.Rs256(TestTokens.Claims(provider.Url, "ada"), other, "one"));

        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        Assert.Equal($"{provider.Url} ada", await good.Content.ReadAsStringAsync());
        await bad.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-invalid");
    }

    [Fact]
    public async Task Request_ProviderUnavailable_Is503WithRetryAfter()
    {
        using var key = RSA.Create(2048);
        var provider = await TestIdentityProvider.StartAsync();
        await provider.DisposeAsync();
        await using var app = await StartAsync(provider.Url);

        using var response = await GetAsync(app, TestTokens.Rs256(TestTokens.Claims(provider.Url, "ada"), key, "one"));

        await response.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");
        Assert.NotNull(response.Headers.RetryAfter);
    }

    private static async Task<HttpResponseMessage> GetAsync(WebApplication app, string token)
    {
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await client.GetAsync("/");
    }

    private static async Task<WebApplication> StartAsync(string authority)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Pulse:Auth:SigningKey"] = TestTokens.Key,
            ["Pulse:Auth:TrustedIssuers:0:Issuer"] = authority,
            ["Pulse:Auth:TrustedIssuers:0:Audience"] = "pulse",
            ["Pulse:Auth:TrustedIssuers:0:Authority"] = authority,
        });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddPulseHttp();
        builder.AddPulseAuth();
        builder.Services.AddAuditLog();
        builder.Services.AddTestSessions();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.UseSecurityHeaders("https:");
        app.UseProblems();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/", (System.Security.Claims.ClaimsPrincipal user) => $"{user.FindFirst("iss")?.Value} {user.FindFirst("sub")?.Value}").RequireAuthorization();
        await app.StartAsync();
        return app;
    }
}
