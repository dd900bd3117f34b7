using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Presence;

/// <summary>The data that a collector receives from a real exporter over HTTP.</summary>
public sealed class TelemetryTests(TelemetryTests.Application pulse) : IClassFixture<TelemetryTests.Application>
{
    [Fact]
    public async Task Export_HasTheConnectionsAndEverySource_AndNoToken()
    {
        var token = TestTokens.Hs256(TestTokens.Claims());
        await using var client = await HubClient.ConnectAsync(pulse.Address, token);
        using var http = pulse.As(token);
        using var me = await http.GetAsync($"/auth/me?access_token={token}");

        foreach (var metric in new[] { "pulse.connections", "orleans-", "http.server.request.duration", "dotnet.gc.collections" })
        {
            await Eventually.AsyncTrue($"the metric {metric}", () => Task.FromResult(pulse.Sent("/v1/metrics").Contains(metric, StringComparison.Ordinal)));
        }

        using var asked = await http.PostAsync("/auth/hub-ticket", null);
        var ticket = (string)(await asked.ReadAsync(HttpStatusCode.OK))["ticket"]!;
        await using (await HubClient.ConnectAsync(pulse.Address, "", $"?ticket={ticket}"))
        {
            // The trace is sent when the socket is closed.
        }

        // The grain of a mailbox has the address as its key.
        await pulse.Services.GetRequiredService<IGrainFactory>().GetGrain<IAccountGrain>(new AccountKey("email", "ada.traced@example.com").ToString()).HasUserAsync();

        await client.Connection.StopAsync();
        await Eventually.AsyncTrue("the request's trace", () => Task.FromResult(pulse.Sent("/v1/traces").Contains("/auth/me", StringComparison.Ordinal)));
        Assert.DoesNotContain(token, pulse.Sent("/v1/traces"), StringComparison.Ordinal);
        Assert.DoesNotContain(ticket, pulse.Sent("/v1/traces"), StringComparison.Ordinal);
        await Eventually.AsyncTrue("the call's trace", () => Task.FromResult(pulse.Sent("/v1/traces").Contains("HasUserAsync", StringComparison.Ordinal)));
        Assert.DoesNotContain("ada.traced@", pulse.Sent("/v1/traces"), StringComparison.Ordinal);
    }

    public sealed class Application : PulseApplication, IAsyncLifetime
    {
        private readonly Collector _collector;

        public Application() : this(new Collector())
        {
        }

        private Application(Collector collector) : base(new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
        }) => _collector = collector;

        /// <summary>All data received on that path, as text: names and values are readable in the binary form.</summary>
        public string Sent(string path) => _collector.Sent(path);

        async Task IAsyncLifetime.DisposeAsync()
        {
            await DisposeAsync();
            await _collector.DisposeAsync();
        }
    }

    /// <summary>A collector that listens on a port of its own from the beginning.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly ConcurrentQueue<(string Path, string Body)> _sent = new();
        private readonly WebApplication _application;

        public Collector()
        {
            var builder = WebApplication.CreateEmptyBuilder(new());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            _application = builder.Build();
            _application.Run(TakeAsync);
            _application.Start();
        }

        public string Address => _application.Urls.Single();

        public string Sent(string path) => string.Concat(_sent.Where(sent => sent.Path == path).Select(sent => sent.Body));

        public ValueTask DisposeAsync() => _application.DisposeAsync();

        private async Task TakeAsync(HttpContext context)
        {
            using var reader = new StreamReader(context.Request.Body, Encoding.Latin1);
            _sent.Enqueue((context.Request.Path, await reader.ReadToEndAsync()));
        }
    }
}
