using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Orleans.TestingHost;
using Pulse.Grains.Presence;
using Pulse.Presence;
using Pulse.Silo;
using Pulse.Silo.Startup;
using Pulse.Users;
using StackExchange.Redis;
using Xunit;

namespace Pulse.Grains.Tests;

/// <summary>A cluster of two silos in this process, set up by the same code as the real ones, on a database of its own.</summary>
public class PulseCluster : IAsyncLifetime
{
    /// <summary>Short, so that leases can expire in a test. A busy machine still renews in time.</summary>
    public static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(6);

    public static readonly TimeSpan OfflineGrace = TimeSpan.FromSeconds(2);

    private readonly TestFrontEnd _frontEnd = new();
    private ConnectionMultiplexer? _redis;
    private PostgresTestDatabase? _database;
    private NpgsqlDataSource? _postgres;

    public DateTimeOffset Started { get; } = TimeProvider.System.GetUtcNow();

    public InProcessTestCluster Cluster { get; private set; } = null!;

    public IClusterClient Client => Cluster.Client;

    /// <summary>A front end as grains see it. Received messages are in <see cref="Told"/>.</summary>
    internal IFrontEndObserver FrontEnd { get; private set; } = null!;

    internal TestFrontEnd Told => _frontEnd;

    public IDatabase Redis => _redis!.GetDatabase();

    public static RedisKey Key(Guid userId) => RedisKeys.Online(userId);

    public static RedisKey InvisibleKey(Guid userId) => RedisKeys.Invisible(userId);

    public async Task InitializeAsync()
    {
        _database = await PostgresTestDatabase.CreateAsync();
        _postgres = NpgsqlDataSource.Create(_database.ConnectionString);
        var redis = TestServers.Redis;
        var database = Route(_database.ConnectionString);
        _redis = await ConnectionMultiplexer.ConnectAsync(redis);

        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSiloHost((_, host) =>
        {
            host.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["ConnectionStrings:Postgres"] = database,
                ["Pulse:Presence:TimeToLive"] = TimeToLive.ToString(),
                ["Pulse:Presence:HeartbeatInterval"] = (TimeToLive / 3).ToString(),
                ["Pulse:Presence:OfflineGrace"] = OfflineGrace.ToString(),
                ["Pulse:Presence:MaxConnectionsPerUser"] = "3",
            });
            host.AddPulseGrains(new(database, ConfigurationOptions.Parse(redis), []));
            Adjust(host);
        });
        builder.ConfigureSilo((_, silo) => silo.AddPulseGrainStorage().ConfigureGrains());
        Cluster = builder.Build();
        await Cluster.DeployAsync();
        FrontEnd = Client.CreateObjectReference<IFrontEndObserver>(_frontEnd);
    }

    public virtual async Task DisposeAsync()
    {
        await Cluster.DisposeAsync();
        await _redis!.DisposeAsync();
        await _postgres!.DisposeAsync();
        await _database!.DisposeAsync();
    }

    /// <summary>The lastSeen in the database.</summary>
    public async Task<DateTimeOffset?> StoredLastSeenAsync(Guid userId)
    {
        await using var command = _postgres!.CreateCommand("SELECT last_seen FROM users WHERE id = $1");
        command.Parameters.Add(new() { Value = userId });
        return await command.ExecuteScalarAsync() is DateTime at ? new DateTimeOffset(at) : null;
    }

    /// <summary>Writes another lastSeen to the database, as a second program does.</summary>
    public async Task WriteLastSeenAsync(Guid userId, DateTimeOffset at)
    {
        await using var command = _postgres!.CreateCommand("UPDATE users SET last_seen = $2 WHERE id = $1");
        command.Parameters.Add(new() { Value = userId });
        command.Parameters.Add(new() { Value = at });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A connection to the silos' database, as another program has it.</summary>
    internal ValueTask<NpgsqlConnection> OpenDatabaseAsync() => _postgres!.OpenConnectionAsync();

    /// <summary>Renews a lease as a front end does, until disposed.</summary>
    public LeaseRenewal KeepRenewing(Guid userId, ConnectionLease lease) => new(Client.GetGrain<IUserGrain>(userId), lease, FrontEnd);

    /// <summary>The connection string that the silos are given for the test database.</summary>
    private protected virtual string Route(string connectionString) => PostgresTestDatabase.WithTimeForABusyMachine(connectionString);

    /// <summary>Changes the configuration of a silo.</summary>
    private protected virtual void Adjust(IHostApplicationBuilder host)
    {
    }

    /// <summary>The renewals of one lease.</summary>
    public sealed class LeaseRenewal : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private volatile Exception? _failure;

        internal LeaseRenewal(IUserGrain user, ConnectionLease lease, IFrontEndObserver frontEnd) => _ = RenewAsync(user, lease, frontEnd);

        /// <summary>The exception of the latest renewal that failed, for the message of a failed test. The next renewal follows as usual.</summary>
        public Exception? Failure => _failure;

        public void Dispose() => _stop.Cancel();

        private async Task RenewAsync(IUserGrain user, ConnectionLease lease, IFrontEndObserver frontEnd)
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    await user.RenewAsync([lease with { SeenAt = TimeProvider.System.GetUtcNow() }], frontEnd);
                }
                catch (Exception e)
                {
                    _failure = e;
                }

                await Task.Delay(TimeToLive / 12);
            }
        }
    }
}
