using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Connections;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.Presence;

namespace Pulse.Web.Tests.Draining;

/// <summary>How a front end drains. The start of the drain by SIGTERM is tested in Pulse.Cluster.Tests.</summary>
public sealed class DrainTests(DrainTests.Application pulse) : IClassFixture<DrainTests.Application>
{
    public sealed class Application() : PulseApplication([
        KeyValuePair.Create("Pulse:Drain:NoticePeriod", "00:00:00"), KeyValuePair.Create("Pulse:Drain:Window", "00:00:00.2")]);

    [Fact]
    public async Task Drain_ClosesSockets_RefusesNewOnes_AndReportsIt()
    {
        var (ada, bob) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await using var first = await HubClient.ConnectAsync(pulse.Address, Token(ada));
        await using var second = await HubClient.ConnectAsync(pulse.Address, Token(bob));

        await pulse.Services.GetRequiredService<Drain>().RunAsync(CancellationToken.None);

        foreach (var client in new[] { first, second })
        {
            var ended = await client.NextAsync("SessionEnded");
            Assert.Equal("server-stopping", ended.GetProperty("reason").GetString());
            Assert.True(ended.GetProperty("mayReconnect").GetBoolean());
            await client.Closed;
        }

        using var ready = await pulse.Anonymous.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("stopping", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var refused = await pulse.Anonymous.GetAsync("/hubs/pulse");
        await refused.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");

        // Requests without a socket go on, over connections that are closed after the answer, and watchers have seen all users stay.
        using var answer = await pulse.As(Token(ada)).GetAsync($"/presence?ids={ada},{bob}");
        Assert.True(answer.Headers.ConnectionClose);
        Assert.Equal(2, (await answer.Content.ReadAsStringAsync()).Split("\"online\"").Length - 1);
    }

    private static string Token(Guid userId) => TestTokens.Hs256(TestTokens.Claims(userId));
}
