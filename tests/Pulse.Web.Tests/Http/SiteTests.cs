using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Pulse.Web.Http;

namespace Pulse.Web.Tests.Http;

/// <summary>The address of this site as requests see it.</summary>
[Collection(SharedPulse.Name)]
public sealed class SiteTests(PulseApplication pulse)
{
    [Theory]
    [InlineData("", "http", "pulse.example", "http://pulse.example")]
    [InlineData("", "http", "pulse.example:80", "http://pulse.example")]
    [InlineData("", "https", "pulse.example:443", "https://pulse.example")]
    [InlineData("", "https", "pulse.example:80", "https://pulse.example:80")]
    [InlineData("", "https", "[2001:db8::1]:443", "https://[2001:db8::1]")]
    [InlineData("", "http", "localhost:5080", "http://localhost:5080")]
    [InlineData("https://pulse.example", "http", "evil.example", "https://pulse.example")]
    [InlineData("https://pulse.example", "https", "pulse.example:8443", "https://pulse.example")]
    [InlineData("https://pulse.example:8443", "http", "localhost", "https://pulse.example:8443")]
    [InlineData("https://pulse.example:443/", "http", "localhost", "https://pulse.example")]
    public async Task Origin_IsThePublicUrls_OrElseTheRequestsWithoutDefaultPort(string publicUrl, string scheme, string host, string origin)
    {
        await using var app = await StartAsync("Production", publicUrl);
        var answer = await app.GetTestServer().SendAsync(request => (request.Request.Scheme, request.Request.Host) = (scheme, new HostString(host)));

        Assert.Equal(origin, answer.Response.Headers["Seen"].ToString());
    }

    [Theory]
    [InlineData("Production", "https", "max-age=31536000")]
    [InlineData("Production", "http", "")]
    [InlineData("Development", "https", "")]
    public async Task StrictTransportSecurity_IsSentOutsideDevelopmentOverHttps(string environment, string scheme, string expected)
    {
        await using var app = await StartAsync(environment, "");
        var answer = await app.GetTestServer().SendAsync(request => (request.Request.Scheme, request.Request.Host) = (scheme, new HostString("pulse.example")));

        Assert.Equal(expected, answer.Response.Headers.StrictTransportSecurity.ToString());
    }

    [Theory]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("app.localhost:5080", HttpStatusCode.OK)]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("[::1]:5080", HttpStatusCode.OK)]
    [InlineData("pulse.evil.example", HttpStatusCode.BadRequest)]
    [InlineData("127.0.0.1.evil.example", HttpStatusCode.BadRequest)]
    public async Task Development_AnswersNamesOfThisMachineAlone(string host, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live") { Headers = { Host = host } };
        using var answer = await pulse.Anonymous.SendAsync(request);

        Assert.Equal(expected, answer.StatusCode);
    }

    private static async Task<WebApplication> StartAsync(string environment, string publicUrl)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { EnvironmentName = environment });
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create(SiteOptions.Setting, (string?)publicUrl)]);
        builder.AddSite();
        var app = builder.Build();
        app.UseSite();
        app.Run(context =>
        {
            context.Response.Headers["Seen"] = $"{context.Request.Scheme}://{context.Request.Host.Value}";
            return Task.CompletedTask;
        });
        await app.StartAsync();
        return app;
    }
}
