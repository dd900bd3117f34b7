using System.Net;
using Pulse.Grains.Tests;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.Startup;

namespace Pulse.Web.Tests.Silos;

/// <summary>A front end whose silos are all dead, as built programs.</summary>
public sealed class LostSilosTests : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pulse-lost-");
    private PostgresTestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PostgresTestDatabase.CreateAsync();

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task SilosKilled_PublishedKeysAreStillAnswered_OtherRequestsAreUnavailable()
    {
        await using var silo = Start("Pulse.Silo");
        await silo.AddressAsync();
        await using var frontEnd = Start("Pulse.Web", ("Pulse__Silo", "External"));
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

    private PulseProcess Start(string program, params (string Key, string Value)[] settings) => PulseProcess.Start(
        program, _directory.FullName,
        new[]
        {
            (Key: "ConnectionStrings__Postgres", Value: _database.ConnectionString), (Key: "ConnectionStrings__Redis", Value: TestServers.Redis),
            (Key: "Pulse__Cluster__ClusterId", Value: _directory.Name), (Key: "Pulse__Cluster__SiloPort", Value: "0"),
            (Key: "Pulse__Cluster__GatewayPort", Value: "0"), (Key: "Pulse__DataDirectory", Value: _directory.FullName),
        }.Concat(settings).Select(setting => KeyValuePair.Create(setting.Key, setting.Value)));
}
