using System.Diagnostics;
using System.Globalization;
using Pulse.Grains.Tests;
using StackExchange.Redis;

namespace Pulse.Web.Tests.Startup;

/// <summary>Stores that are unavailable when Pulse starts: the log names them and the reason, on the built programs.</summary>
public sealed class WaitingTests : ProgramTests
{
    [Fact]
    public async Task PostgresThatIsUnreachable_IsNamedWithTheReason()
    {
        await using var process = Start(
            "Pulse.Silo", $"postgres://pulse:secret@127.0.0.1:{LowPort.Find()}/pulse", $"redis://{TestServers.Redis}");
        await AssertWaitsAsync(process, "PostgreSQL (ConnectionStrings:Postgres)", "Failed to connect");
    }

    [Fact]
    public async Task PostgresThatRefusesTheRole_IsNamedWithTheReason()
    {
        var server = TestServers.Postgres;
        await using var process = Start("Pulse.Web", $"postgresql://nobody:secret@{server.Host}:{server.Port}/{server.Database}", TestServers.Redis);
        await AssertWaitsAsync(process, "PostgreSQL (ConnectionStrings:Postgres)", "28000");
    }

    [Theory]
    [InlineData("Pulse.Silo", "InProcess")]
    [InlineData("Pulse.Web", "External")]
    public async Task RedisThatIsUnreachable_IsNamedWithTheReason(string program, string silo)
    {
        await using var process = Start(program, Postgres, $"redis://127.0.0.1:{LowPort.Find()}", ("Pulse__Silo", silo));
        await AssertWaitsAsync(process, "Redis (ConnectionStrings:Redis)", "does not answer");
    }

    [Fact]
    public async Task RedisWithACertificateOfAnUnknownAuthority_IsNamedWithTheReason()
    {
        var (port, tlsPort) = (LowPort.Find(), LowPort.Find());
        var script = Path.Combine(Pages.Checkout.Root, "deploy", "local", "certificates.sh");
        using (var certificates = Process.Start(new ProcessStartInfo(script, [Folder.FullName, "redis"]))!) await certificates.WaitForExitAsync();
        using var redis = StartRedis(port, "--tls-port", $"{tlsPort}", "--tls-auth-clients", "no", "--tls-cert-file", "redis.pem", "--tls-key-file", "redis.key", "--tls-ca-cert-file", "ca.pem");
        try
        {
            await using var process = Start("Pulse.Silo", Postgres, $"rediss://:secret@127.0.0.1:{tlsPort}");
            await AssertWaitsAsync(process, "Redis (ConnectionStrings:Redis)", "TLS handshake fails");
        }
        finally
        {
            redis.Kill();
            await redis.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task RedisThatRefusesThePassword_IsNamedWithTheReason()
    {
        var port = LowPort.Find();
        using var redis = StartRedis(port, "--requirepass", "another");
        try
        {
            await using var process = Start("Pulse.Silo", Postgres, $"redis://:secret@127.0.0.1:{port}");
            await AssertWaitsAsync(process, "Redis (ConnectionStrings:Redis)", "WRONGPASS");
        }
        finally
        {
            redis.Kill();
            await redis.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task RedisThatLacksARight_IsNamedWithTheReason_AndServesOnceTheRightIsGiven()
    {
        var user = $"pulse-{Guid.NewGuid():N}";
        await using var redis = await ConnectionMultiplexer.ConnectAsync($"{TestServers.Redis},allowAdmin=true");
        var database = redis.GetDatabase();
        try
        {
            // The rights of docs/operating.md, except one.
            await database.ExecuteAsync("ACL", ["SETUSER", user, "on", ">secret", "~*", "&*", "+@all", "-@admin", "-eval", "-evalsha"]);
            await using var process = Start("Pulse.Silo", Postgres, $"redis://{user}:secret@{TestServers.Redis}",
                ("Pulse__Cluster__SiloPort", "0"), ("Pulse__Cluster__GatewayPort", "0"), ("Pulse__Cluster__ClusterId", user));
            await AssertWaitsAsync(process, "Redis (ConnectionStrings:Redis)", "NOPERM");

            await database.ExecuteAsync("ACL", ["SETUSER", user, "reset", "on", ">secret", .. Rights]);
            await process.AddressAsync();
            Assert.Empty(process.Errors);
        }
        finally
        {
            await database.ExecuteAsync("ACL", ["DELUSER", user]);
        }
    }

    [Fact]
    public async Task RedisThatIsLoading_IsNamedWithTheReason_AndServesOnceItHasLoaded()
    {
        // A separate Redis, with keys that take 10 ms each to load: 2 minutes, more than Pulse needs to start on a busy machine.
        var port = LowPort.Find();
        using (var first = StartRedis(port))
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},allowAdmin=true,connectRetry=20");
            await connection.GetDatabase().ScriptEvaluateAsync("for i = 1, 12000 do redis.call('SET', 'key:' .. i, 'value') end");
            await connection.GetDatabase().ExecuteAsync("SAVE");
            first.Kill();
            await first.WaitForExitAsync();
        }

        using var loading = StartRedis(port, "--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024");
        try
        {
            await using var process = Start("Pulse.Silo", Postgres, $"127.0.0.1:{port}",
                ("Pulse__Cluster__SiloPort", "0"), ("Pulse__Cluster__GatewayPort", "0"));
            await AssertWaitsAsync(process, "Redis (ConnectionStrings:Redis)", "LOADING");
            using var quick = Process.Start(
                "redis-cli", ["-p", port.ToString(CultureInfo.InvariantCulture), "CONFIG", "SET", "key-load-delay", "0"]);
            await quick.WaitForExitAsync();
            Assert.Equal(0, quick.ExitCode);
            await process.AddressAsync();
            Assert.Empty(process.Errors);
        }
        finally
        {
            loading.Kill();
            await loading.WaitForExitAsync();
        }
    }

    /// <summary>The rights of docs/operating.md.</summary>
    private static string[] Rights => ["~user:*", "~pulse*", "~__Booksleeve_*", "&__Booksleeve_*", "+@read", "+@write", "+@connection", "+@transaction", "+@scripting", "+@pubsub", "+info", "+cluster|nodes", "+config|get"];

    private static async Task AssertWaitsAsync(PulseProcess process, params string[] words)
    {
        var line = await process.LineAsync(words[^1]);
        Assert.Contains("Waiting for ", line, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
        Assert.DoesNotContain("secret", process.ToString(), StringComparison.Ordinal);
    }

    private PulseProcess Start(string program, string postgres, string redis, params (string Key, string Value)[] settings) =>
        Start(program, [("ConnectionStrings__Postgres", postgres), ("ConnectionStrings__Redis", redis), .. settings]);

    private Process StartRedis(int port, params string[] arguments) => Process.Start(new ProcessStartInfo(
        "redis-server", ["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--dir", Folder.FullName, "--logfile", "redis.log", .. arguments]))!;
}
