using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Pulse.Web.Http;

namespace Pulse.Web.Tests.Http;

public sealed class TrustedProxyTests
{
    [Theory]
    [InlineData("10.1.2.3", "203.0.113.9", "https 203.0.113.9", "10.0.0.0/8")]
    [InlineData("10.1.2.3", "203.0.113.9", "https 203.0.113.9", "10.1.2.3")]
    [InlineData("::ffff:10.1.2.3", "203.0.113.9", "https 203.0.113.9", "10.1.2.3")]
    [InlineData("2001:db8::5", "2001:db8:1::9", "https 2001:db8:1::9", "2001:db8::/64")]
    [InlineData("10.1.2.3", "198.51.100.1, 203.0.113.9, 10.9.9.9", "https 203.0.113.9", "10.0.0.0/8")]
    [InlineData("192.0.2.1", "203.0.113.9", "http 192.0.2.1", "10.0.0.0/8")]
    [InlineData("127.0.0.1", "203.0.113.9", "http 127.0.0.1", "10.0.0.0/8")]
    [InlineData("127.0.0.1", "203.0.113.9", "http 127.0.0.1")]
    [InlineData("10.1.2.3", "nonsense", "http 10.1.2.3", "10.0.0.0/8")]
    public async Task Client_IsTheAddressThatATrustedProxyNames(string peer, string forwardedFor, string expected, params string[] trusted)
    {
        await using var app = await StartAsync(trusted);
        var context = await app.GetTestServer().SendAsync(request =>
        {
            request.Connection.RemoteIpAddress = IPAddress.Parse(peer);
            request.Request.Headers["X-Forwarded-For"] = forwardedFor;
            request.Request.Headers["X-Forwarded-Proto"] = string.Join(", ", forwardedFor.Split(',').Select(_ => "https"));
        });

        Assert.Equal(expected, context.Response.Headers["Seen"].ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("proxy.example")]
    [InlineData("10.0.0.0/33")]
    public async Task Start_WithAnInvalidProxyAddress_Refuses(string trusted)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(trusted));

        Assert.StartsWith("Pulse:Http:TrustedProxies:0 ", refused.Failures.Single(), StringComparison.Ordinal);
    }

    private static async Task<WebApplication> StartAsync(params string[] trusted)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection(trusted.Select((text, i) => KeyValuePair.Create($"Pulse:Http:TrustedProxies:{i}", (string?)text)));
        builder.AddTrustedProxies();
        var app = builder.Build();
        app.UseTrustedProxies();
        app.Run(context =>
        {
            context.Response.Headers["Seen"] = $"{context.Request.Scheme} {ClientAddress.Of(context)}";
            return Task.CompletedTask;
        });
        await app.StartAsync();
        return app;
    }
}
