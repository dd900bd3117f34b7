using System.Net;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Runtime;
using Pulse.Silo;
using Pulse.Silo.Clustering;
using Pulse.Silo.Startup;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;
using Xunit;

namespace Pulse.Grains.Tests.Clustering;

/// <summary>The reaction of one silo to a membership table in Redis that differs from its own.</summary>
public sealed class MembershipRestorerTests : IAsyncLifetime
{
    private readonly SiloAddress _known = SiloAddress.New(IPAddress.Loopback, 11_111, 100);
    private readonly SiloAddress _stranger = SiloAddress.New(IPAddress.Loopback, 22_222, 2);
    private IHost _silo = null!;
    private IMembershipTable _table = null!;
    private IDatabase _redis = null!;
    private RedisKey _key;
    private MembershipRestorer _keeper = null!;
    private ProfilingSession _commands = new();

    public async Task InitializeAsync()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:Postgres"] = TestServers.Postgres.ConnectionString,
            ["ConnectionStrings:Redis"] = TestServers.Redis,
            ["Pulse:Cluster:ClusterId"] = $"keeper-{Guid.NewGuid():N}",
        });
        builder.AddPulseSilo();
        builder.Services.AddSingleton(DispatchProxy.Create<ISiloStatusOracle, ActiveSilo>());
        _silo = builder.Build();
        var redis = _silo.Services.GetRequiredService<IConnectionMultiplexer>();
        redis.RegisterProfiler(() => _commands);
        _redis = redis.GetDatabase();
        _key = _silo.Services.GetRequiredService<IOptions<RedisClusteringOptions>>().Value.CreateRedisKey(
            _silo.Services.GetRequiredService<IOptions<ClusterOptions>>().Value);
        _table = _silo.Services.GetRequiredService<IMembershipTable>();
        await _table.InitializeMembershipTableAsync(true, CancellationToken.None);
        for (var version = 1; version <= 5; version++) await InsertAsync(SiloAddress.New(_known.Endpoint, version), version, SiloStatus.Dead, DateTime.UnixEpoch);
        await InsertAsync(_known, 6, SiloStatus.Active, Now);

        _keeper = ActivatorUtilities.CreateInstance<MembershipRestorer>(_silo.Services);
        await _keeper.StartAsync(CancellationToken.None);
        await Eventually.AsyncEqual(true, () => Task.FromResult(Commands().Contains("HGETALL")));
    }

    public async Task DisposeAsync()
    {
        await _keeper.StopAsync(CancellationToken.None);
        await _redis.KeyDeleteAsync(_key);
        Environment.ExitCode = 0;
        _silo.Dispose();
    }

    [Fact]
    public async Task LostTable_IsRestored()
    {
        await _redis.KeyDeleteAsync(_key);

        await Eventually.AsyncEqual(6, VersionAsync);
        Assert.Contains((await _table.ReadAllAsync(CancellationToken.None)).Members, member => member.Item1.SiloAddress.Equals(_known));
        Assert.False(IsStopping);
    }

    [Fact]
    public async Task TableOfALivingCluster_IsLeftAlone_AndThisSiloStopsWithAnError()
    {
        await ReplaceTableAsync(SiloStatus.Active, Now);

        await Eventually.AsyncEqual(true, () => Task.FromResult(IsStopping));
        Assert.Equal(1, Environment.ExitCode);
        Assert.Equal([_stranger], (await _table.ReadAllAsync(CancellationToken.None)).Members.Select(member => member.Item1.SiloAddress));
    }

    [Fact]
    public async Task TableOfADeadCluster_IsReplaced()
    {
        await ReplaceTableAsync(SiloStatus.Active, Now.AddHours(-1));

        await Eventually.AsyncEqual(6, VersionAsync);
        Assert.False(IsStopping);
    }

    [Fact]
    public async Task UnchangedTable_IsNotReadAgain_OnlyItsVersion()
    {
        _commands = new();
        var seen = new List<string>();
        await Eventually.AsyncEqual(true, () =>
        {
            seen.AddRange(Commands());
            return Task.FromResult(seen.Count(command => command == "HGET") >= 2);
        });

        Assert.DoesNotContain("HGETALL", seen);
    }

    private static DateTime Now => TimeProvider.System.GetUtcNow().UtcDateTime;

    private bool IsStopping => _silo.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested;

    private IEnumerable<string> Commands() => _commands.FinishProfiling().Select(command => command.Command);

    private async Task<int> VersionAsync() => (int)await _redis.HashGetAsync(_key, "Version");

    /// <summary>While this silo is paused, Redis is emptied and another cluster is founded in it.</summary>
    private async Task ReplaceTableAsync(SiloStatus status, DateTime aliveAt)
    {
        await _keeper.StopAsync(CancellationToken.None);
        await _redis.KeyDeleteAsync(_key);
        await _table.InitializeMembershipTableAsync(true, CancellationToken.None);
        await InsertAsync(_stranger, 1, status, aliveAt);
        await _keeper.StartAsync(CancellationToken.None);
    }

    private async Task InsertAsync(SiloAddress silo, int version, SiloStatus status, DateTime aliveAt)
    {
        var table = await _table.ReadAllAsync(CancellationToken.None);
        Assert.True(await _table.InsertRowAsync(Entry(silo, status, aliveAt), table.Version.Next(), CancellationToken.None));
        Assert.Equal(version, await VersionAsync());
    }

    private static MembershipEntry Entry(SiloAddress silo, SiloStatus status, DateTime aliveAt) => new()
    {
        SiloAddress = silo, Status = status, IAmAliveTime = aliveAt, StartTime = aliveAt, HostName = "host", SiloName = "silo", RoleName = "role", SuspectTimes = [],
    };

    /// <summary>An oracle that says that this silo is active. The keeper asks only that.</summary>
    public class ActiveSilo : DispatchProxy
    {
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod?.Name == "get_CurrentStatus" ? SiloStatus.Active : throw new NotSupportedException(targetMethod?.Name);
    }
}
