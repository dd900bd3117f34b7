using System.Net;
using Npgsql;
using StackExchange.Redis;

namespace Pulse.Silo.Startup;

/// <summary>Logs a warning outside Development for each store that is reached over a network without TLS.</summary>
internal sealed partial class PlainStoreWarnings(IConfiguration configuration, IHostEnvironment environment, ILogger<PlainStoreWarnings> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (environment.IsDevelopment()) return Task.CompletedTask;

        var connections = ConnectionStrings.From(configuration, hostsSilo: false);
        if (connections.Postgres is { } postgres && IsPlain(new NpgsqlConnectionStringBuilder(postgres)))
            LogPlain("PostgreSQL", ConnectionStrings.PostgresSetting, "SSL Mode=VerifyFull");
        if (connections.Redis is { } redis && IsPlain(redis)) LogPlain("Redis", ConnectionStrings.RedisSetting, "ssl=true");
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Whether the connection may be unencrypted. <c>Prefer</c>, the driver's default, uses TLS only if the server offers it, and an
    /// attacker in between can remove the offer.
    /// </summary>
    internal static bool IsPlain(NpgsqlConnectionStringBuilder postgres) =>
        postgres.SslMode is SslMode.Disable or SslMode.Allow or SslMode.Prefer
        && (postgres.Host ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Any(host => !IsThisMachine(WithoutPort(host)));

    /// <summary>As for PostgreSQL.</summary>
    internal static bool IsPlain(ConfigurationOptions redis) => !redis.Ssl && redis.EndPoints.Any(endPoint => endPoint switch
    {
        DnsEndPoint dns => !IsThisMachine(dns.Host),
        IPEndPoint ip => !IPAddress.IsLoopback(ip.Address),
        _ => false,
    });

    // A path is a socket in this machine's file system.
    private static bool IsThisMachine(string host) =>
        host.StartsWith('/') || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static string WithoutPort(string host) => host.Count(character => character == ':') == 1 ? host[..host.IndexOf(':', StringComparison.Ordinal)] : host;

    [LoggerMessage(3120, LogLevel.Warning, "{Store} ({Setting}) is reached over a network without TLS. Add {Advice} to the connection string.")]
    private partial void LogPlain(string store, string setting, string advice);
}
