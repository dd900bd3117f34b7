using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pulse.Web.Http;

namespace Pulse.Web.Tests.Http;

public sealed class CorsTests
{
    private const string Listed = "https://app.example";

    [Fact]
    public async Task Preflight_ListedOrigin_MayBringATokenAndNoCredentials()
    {
        await using var app = await StartAsync(Listed, "http://localhost:3000");
        using var response = await PreflightAsync(app, Listed);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(Listed, response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Theory]
    [InlineData("capacitor://localhost")]
    [InlineData("ionic://localhost")]
    [InlineData("tauri://localhost")]
    public async Task Preflight_PackagedApplication_IsAnswered(string origin)
    {
        await using var app = await StartAsync(origin);
        using var response = await PreflightAsync(app, origin);

        Assert.Equal(origin, response.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Theory]
    [InlineData("https://app.example.evil.example")]
    [InlineData("http://app.example")]
    [InlineData("https://app.example:8443")]
    [InlineData("null")]
    public async Task Preflight_OtherOrigin_MayNot(string origin)
    {
        await using var app = await StartAsync(Listed);
        using var response = await PreflightAsync(app, origin);

        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("https://*.example.com")]
    [InlineData("https://app.example/")]
    [InlineData("https://app.example/path")]
    [InlineData("app.example")]
    [InlineData("null")]
    [InlineData("file:///app")]
    [InlineData("capacitor:localhost")]
    public async Task Start_WithAnInvalidOrigin_IsRefusedAndNamesTheSetting(string origin)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(Listed, origin));
        Assert.Contains($"Pulse:Cors:Origins:1 must be an origin", Assert.Single(refused.Failures), StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> PreflightAsync(WebApplication app, string origin)
    {
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        using var request = new HttpRequestMessage(HttpMethod.Options, "/");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        return await client.SendAsync(request);
    }

    private static async Task<WebApplication> StartAsync(params string[] origins)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(origins.Select((origin, index) => KeyValuePair.Create($"Pulse:Cors:Origins:{index}", (string?)origin)));
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddPulseCors();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.UseCors();
        app.MapPost("/", () => "").RequireCors(CorsSetup.Data);
        await app.StartAsync();
        return app;
    }
}
