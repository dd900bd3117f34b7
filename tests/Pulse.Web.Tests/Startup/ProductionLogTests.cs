using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Startup;

/// <summary>The log lines of a front end in Production, and which requests get its health details.</summary>
public sealed class ProductionLogTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pulse-log-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Lines_AreJsonWithUtcTimes_AndHealthDetailsAreForThisMachine()
    {
        await using var process = PulseProcess.Start("Pulse.Web", _directory.FullName,
        [
            new("ASPNETCORE_ENVIRONMENT", "Production"), new("Pulse__Auth__SigningKey", TestTokens.Key), new("AllowedHosts", "*"),
        ]);
        using var client = new HttpClient { BaseAddress = await process.AddressAsync() };

        using var request = new HttpRequestMessage(HttpMethod.Get, "/auth/me") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", BadTokens.Make("other key")) } };
        using var refused = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        await process.LineAsync("token-refused");

        var lines = process.Output.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.All(lines, line =>
        {
            var text = line.GetProperty("Timestamp").GetString()!;
            var at = DateTimeOffset.ParseExact(text, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            Assert.InRange(at, DateTimeOffset.UtcNow.AddMinutes(-3), DateTimeOffset.UtcNow);
        });
        var audit = Assert.Single(lines, line => line.GetProperty("Category").GetString() == "Pulse.Audit" && line.GetProperty("Message").GetString()!.Contains("token-refused"));
        Assert.Equal(("signature", "127.0.0.1"), (audit.GetProperty("State").GetProperty("Reason").GetString(), audit.GetProperty("State").GetProperty("Client").GetString()));

        Assert.Equal(("healthy", "database"), await HealthAsync(client, forwardedFor: null));
        Assert.Equal(("healthy", ""), await HealthAsync(client, forwardedFor: "203.0.113.7"));
    }

    // Returns the status, and the name of the first part.
    private static async Task<(string? Status, string Part)> HealthAsync(HttpClient client, string? forwardedFor)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/ready");
        if (forwardedFor is not null) request.Headers.Add("X-Forwarded-For", forwardedFor);
        using var answer = await client.SendAsync(request);
        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        return (body.GetProperty("status").GetString(), body.GetProperty("parts").EnumerateObject().Select(part => part.Name).Order(StringComparer.Ordinal).FirstOrDefault() ?? "");
    }
}
