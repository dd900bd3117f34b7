using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using Pulse.Silo.Health;
using Xunit;

namespace Pulse.Grains.Tests.Health;

/// <summary>Which requests get the parts and reasons.</summary>
public sealed class HealthDetailsTests
{
    [Theory]
    [InlineData("Production", "127.0.0.1", null, true)]
    [InlineData("Production", "::1", null, true)]
    [InlineData("Production", "::ffff:127.0.0.1", null, true)]
    [InlineData("Production", "10.0.0.7", null, true)]
    [InlineData("Production", "10.1.2.3", null, true)]
    [InlineData("Production", "::ffff:10.1.2.3", null, true)]
    [InlineData("Production", "10.0.0.8", null, false)]
    [InlineData("Production", "203.0.113.7", null, false)]
    [InlineData("Production", "127.0.0.1", "X-Forwarded-For", false)]
    [InlineData("Production", "10.0.0.7", "Forwarded", false)]
    [InlineData("Development", "203.0.113.7", null, true)]
    public void Request_FromAnAddress(string environment, string address, string? header, bool isTold)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        if (header is not null) context.Request.Headers[header] = "for=203.0.113.7";
        var options = new HealthOptions { DetailsFor = { "10.0.0.7", "10.1.0.0/16" } };

        var details = new HealthDetails(Options.Create(options), new HostingEnvironment { EnvironmentName = environment });

        Assert.Equal(isTold, details.AreFor(context));
    }
}
