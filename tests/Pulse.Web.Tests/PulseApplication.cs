using System.Net.Http.Headers;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pulse.Web.Auth;
using Pulse.Web.Tests.Audit;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests;

/// <summary>The whole of Pulse in this process, on a real port: embedded stores in a directory of its own, a silo on free ports.</summary>
public class PulseApplication : IAsyncLifetime
{
    /// <summary>A trusted issuer whose tokens <see cref="TestTokens.OtherKey"/> signs.</summary>
    public const string TrustedIssuer = "https://app.example";

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("pulse-web-");
    private readonly Dictionary<string, string> _settings;
    private readonly LogSink _log = new();
    private Factory? _factory;

    public PulseApplication() : this([])
    {
    }

    /// <param name="settings">Added to the usual ones, or instead of some.</param>
    private protected PulseApplication(IEnumerable<KeyValuePair<string, string>> settings) => _settings = new Dictionary<string, string>([
        .. new Dictionary<string, string>
        {
            ["environment"] = "Development",
            ["Pulse:DataDirectory"] = _data.FullName,
            ["Pulse:Cluster:SiloPort"] = "0",
            ["Pulse:Cluster:GatewayPort"] = "0",
            // Tests of other limits open more sockets of one user at once.
            ["Pulse:Presence:ConnectsAtOncePerUser"] = "200",
            ["Pulse:Auth:SigningKey"] = TestTokens.Key,
            ["Pulse:Auth:TrustedIssuers:0:Issuer"] = TrustedIssuer,
            ["Pulse:Auth:TrustedIssuers:0:Audience"] = "pulse",
            ["Pulse:Auth:TrustedIssuers:0:SigningKey"] = TestTokens.OtherKey,
            ["Pulse:Auth:TrustedIssuers:1:Kind"] = "AuthJs",
            ["Pulse:Auth:TrustedIssuers:1:Issuer"] = AuthJsTokens.Issuer,
            ["Pulse:Auth:TrustedIssuers:1:SigningKey"] = AuthJsTokens.Secret,
        }.Concat(settings).GroupBy(setting => setting.Key).Select(group => group.Last()),
    ]);

    /// <summary>The address at which it listens.</summary>
    public Uri Address => Anonymous.BaseAddress!;

    /// <summary>A client without credentials.</summary>
    public HttpClient Anonymous { get; private set; } = null!;

    public Task InitializeAsync()
    {
        _factory = new Factory(_settings, _log, Adjust);
        _factory.UseKestrel(0);
        _factory.StartServer();
        Anonymous = _factory.CreateClient();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        Anonymous?.Dispose();
        if (_factory is not null) await _factory.DisposeAsync();
        _data.Delete(recursive: true);
        LogSecrets.AssertNotIn(_log.Lines.Select(line => line.Text));
    }

    /// <summary>The application's own services.</summary>
    public IServiceProvider Services => _factory!.Services;

    /// <summary>The directory of its files.</summary>
    public string DataDirectory => _settings["Pulse:DataDirectory"];

    /// <summary>A client with that token on every request.</summary>
    public HttpClient As(string token)
    {
        var client = _factory!.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>Changes its services.</summary>
    private protected virtual void Adjust(IServiceCollection services)
    {
    }

    // Found by one of Pulse.Web's own types, because every project with a Program has a type of that name.
    private sealed class Factory(Dictionary<string, string> settings, LogSink log, Action<IServiceCollection> adjust) : WebApplicationFactory<Caller>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            foreach (var (key, value) in settings) builder.UseSetting(key, value);
            builder.ConfigureLogging(logging => logging.ClearProviders().AddProvider(log));
            builder.ConfigureServices(adjust);
        }
    }
}

/// <summary>Shares one application among the test classes that only need keys of their own.</summary>
[CollectionDefinition(Name)]
public sealed class SharedPulse : ICollectionFixture<PulseApplication>
{
    public const string Name = "Pulse";
}
