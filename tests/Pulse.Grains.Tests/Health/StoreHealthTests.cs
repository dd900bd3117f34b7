using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Pulse.Silo;
using Pulse.Silo.Health;
using Pulse.Silo.Telemetry;
using StackExchange.Redis;
using Xunit;

namespace Pulse.Grains.Tests.Health;

/// <summary>A store that answers but refuses writes is not healthy.</summary>
public sealed class StoreHealthTests(PostgresStores stores) : IClassFixture<PostgresStores>
{
    [Fact]
    public async Task ReadOnlyDatabase_IsUnhealthy_UntilItTakesWrites()
    {
        await using var services = stores.StartProcess();
        var database = services.GetRequiredService<IStoreDatabase>();
        await BecomesAsync(HealthStatus.Healthy, AskAsync);

        await SetReadOnlyAsync("on");
        await BecomesAsync(HealthStatus.Unhealthy, AskAsync, "PostgreSQL takes no writes");

        await SetReadOnlyAsync("off");
        await BecomesAsync(HealthStatus.Healthy, AskAsync);

        Task<HealthCheckResult> AskAsync() => new DatabaseHealthCheck(database, TimeProvider.System).CheckHealthAsync(new());
    }

    [Fact]
    public async Task RedisThatBecomesAReplica_IsDegraded_UntilItTakesWrites()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(PresenceRedis.Configure(ConfigurationOptions.Parse(server.EndPoint)));
        await BecomesAsync(HealthStatus.Healthy, AskAsync);

        // The replica follows the server that the tests share.
        var primary = TestServers.Redis.Split(':');
        await server.ExecuteAsync("REPLICAOF", primary[0], primary[1]);
        await BecomesAsync(HealthStatus.Degraded, AskAsync, "Redis takes no writes");

        await server.ExecuteAsync("REPLICAOF", "NO", "ONE");
        await BecomesAsync(HealthStatus.Healthy, AskAsync);

        Task<HealthCheckResult> AskAsync() => new RedisHealthCheck(redis, TimeProvider.System).CheckHealthAsync(new());
    }

    [Fact]
    public async Task RedisThatBecomesAReplica_IsDegradedInTheMetric_UntilItTakesWrites()
    {
        await using var server = await RedisServer.StartAsync();
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9";
        builder.AddPulseTelemetry();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IConnectionMultiplexer>(_ => ConnectionMultiplexer.Connect(PresenceRedis.Configure(ConfigurationOptions.Parse(server.EndPoint))));
        builder.Services.AddHealthChecks().AddCheck<RedisHealthCheck>("redis", tags: [HealthEndpoints.ReadyTag]).AddCheck("of the application", () => HealthCheckResult.Unhealthy());
        builder.Services.Configure<HealthCheckPublisherOptions>(options => (options.Delay, options.Period) = (TimeSpan.Zero, TimeSpan.FromSeconds(1)));
        using var host = builder.Build();
        var factory = host.Services.GetRequiredService<IMeterFactory>();
        List<string> measured = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == factory && instrument.Name == "pulse.health") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, value, tags, _) => measured.Add($"{string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))} {value}"));
        listener.Start();
        await host.StartAsync();
        await Eventually.AsyncEqual("pulse.health.part=redis 2", MeasureAsync);

        var primary = TestServers.Redis.Split(':');
        await server.ExecuteAsync("REPLICAOF", primary[0], primary[1]);
        await Eventually.AsyncEqual("pulse.health.part=redis 1", MeasureAsync);

        await server.ExecuteAsync("REPLICAOF", "NO", "ONE");
        await Eventually.AsyncEqual("pulse.health.part=redis 2", MeasureAsync);
        await host.StopAsync();

        Task<string> MeasureAsync()
        {
            measured.Clear();
            listener.RecordObservableInstruments();
            return Task.FromResult(string.Join(", ", measured));
        }
    }

    [Fact]
    public async Task RedisWithoutMemory_IsDegraded_AndSaysWhy()
    {
        await using var server = await RedisServer.StartAsync();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(PresenceRedis.Configure(ConfigurationOptions.Parse(server.EndPoint)));
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");

        await BecomesAsync(
            HealthStatus.Degraded, () => new RedisHealthCheck(redis, TimeProvider.System).CheckHealthAsync(new()), "Redis takes no writes (OOM)");
    }

    /// <summary>Waits for that status and that text, because a check on a busy machine may be answered too late.</summary>
    private static Task BecomesAsync(HealthStatus status, Func<Task<HealthCheckResult>> askAsync, string? says = null) =>
        Eventually.AsyncEqual($"{status}: {says}", async () =>
        {
            var result = await askAsync();
            var isSaid = says is null || result.Description?.Contains(says, StringComparison.Ordinal) == true;
            return $"{result.Status}: {(isSaid ? says : result.Description)}";
        });

    /// <summary>Sets it as an operator or a managed database does. Existing sessions keep their setting, so they are ended.</summary>
    private async Task SetReadOnlyAsync(string value)
    {
        var settings = new NpgsqlConnectionStringBuilder(stores.Options.PostgresConnectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            BEGIN READ WRITE; ALTER DATABASE {settings.Database} SET default_transaction_read_only = {value}; COMMIT;
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            """;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A Redis of this test only, on a free port.</summary>
    private sealed class RedisServer : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly int _port;

        private RedisServer(Process process, int port) => (_process, _port) = (process, port);

        public string EndPoint => $"127.0.0.1:{_port}";

        public static async Task<RedisServer> StartAsync()
        {
            var port = LowPort.Find();
            var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, WorkingDirectory = Path.GetTempPath() };
            foreach (var argument in new[] { "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no" }) start.ArgumentList.Add(argument);
            var server = new RedisServer(Process.Start(start)!, port);
            _ = server._process.StandardOutput.ReadToEndAsync();
            await Eventually.AsyncEqual(true, server.IsThereAsync);
            return server;
        }

        public async Task ExecuteAsync(string command, params object[] arguments)
        {
            await using var redis = await ConnectionMultiplexer.ConnectAsync(EndPoint + ",allowAdmin=true");
            await redis.GetServers()[0].ExecuteAsync(command, arguments);
        }

        public async ValueTask DisposeAsync()
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        private async Task<bool> IsThereAsync()
        {
            try
            {
                await ExecuteAsync("PING");
                return true;
            }
            catch (RedisConnectionException)
            {
                return false;
            }
        }
    }
}
