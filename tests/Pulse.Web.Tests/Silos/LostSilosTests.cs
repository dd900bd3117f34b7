using System.Net;
using Pulse.Grains.Tests;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.Startup;

namespace Pulse.Web.Tests.Silos;

/// <summary>A front end whose silos are all dead, as built programs.</summary>
public sealed class LostSilosTests : ProgramTests
{
    [Fact]
    public async Task SilosKilled_PublishedKeysAreStillAnswered_OtherRequestsAreUnavailable()
    {
        await using var silo = StartInCluster("Pulse.Silo");
        await silo.AddressAsync();
        await using var frontEnd = StartInCluster("Pulse.Web", ("Pulse__Silo", "External"));
        using var http = new HttpClient { BaseAddress = await frontEnd.AddressAsync() };
        var published = "";
        await Eventually.AsyncTrue("the keys are published", async () =>
        {
            using var answer = await http.GetAsync("/.well-known/jwks.json");
            published = await answer.Content.ReadAsStringAsync();
            return answer.StatusCode == HttpStatusCode.OK && published.Contains("kid", StringComparison.Ordinal);
        });

        silo.Kill();
        await frontEnd.LineAsync("The last connection to a silo is lost.");

        using var other = await http.GetAsync("/auth/me");
        await other.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");
        using var keys = await http.GetAsync("/.well-known/jwks.json");
        Assert.Equal(HttpStatusCode.OK, keys.StatusCode);
        Assert.Equal(published, await keys.Content.ReadAsStringAsync());
    }

    private PulseProcess StartInCluster(string program, params (string Key, string Value)[] settings) => Start(
        program,
        [
            ("ConnectionStrings__Postgres", Postgres), ("ConnectionStrings__Redis", TestServers.Redis),
            ("Pulse__Cluster__ClusterId", Folder.Name), ("Pulse__Cluster__SiloPort", "0"),
            ("Pulse__Cluster__GatewayPort", "0"), ("Pulse__DataDirectory", Folder.FullName), .. settings,
        ]);
}
