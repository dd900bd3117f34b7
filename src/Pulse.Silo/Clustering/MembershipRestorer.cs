using System.Globalization;
using Microsoft.Extensions.Options;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Runtime;
using StackExchange.Redis;

namespace Pulse.Silo.Clustering;

/// <summary>Restores the cluster's membership in a Redis that has lost it, because Redis was flushed or restarted empty.</summary>
/// <remarks>
/// Silos continue with the membership in memory, but do not write it again. Front ends would find no silo, and a starting silo would found
/// a second cluster. The table's version only grows, so a lower version than the last one read means that the table was lost. It is
/// restored only if the table that was found has no other live cluster: this silo may have been paused while its cluster was founded anew.
/// In that case this silo is the lost one.
/// </remarks>
internal sealed partial class MembershipRestorer(
    IConnectionMultiplexer redis, IMembershipTable membership, ISiloStatusOracle oracle, IOptions<RedisClusteringOptions> clustering,
    IOptions<ClusterOptions> cluster, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<MembershipRestorer> logger) : BackgroundService
{
    /// <summary>Time for which an active silo counts as live after its last announcement. Several announcement intervals.</summary>
    private static readonly TimeSpan s_livesFor = TimeSpan.FromSeconds(15);

    // The name of the table's version in the hash of Orleans' provider.
    private const string VersionField = "Version";

    // Shorter than the interval at which front ends look for silos again.
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly RedisKey _key = clustering.Value.CreateRedisKey(cluster.Value);
    private HashEntry[] _kept = [];
    private int _keptVersion;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    // Skipped while this silo joins or leaves, because other silos then decide about the membership.
                    if (oracle.CurrentStatus == SiloStatus.Active) await KeepAsync();
                }
                catch (Exception) when (!stoppingToken.IsCancellationRequested)
                {
                    // Redis is unavailable, or the table was lost during the read, for which Orleans' provider has its own exceptions. The
                    // next round reads again.
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task KeepAsync()
    {
        var database = redis.GetDatabase();
        var found = await database.HashGetAsync(_key, VersionField);
        var version = found.HasValue ? int.Parse(found.ToString(), CultureInfo.InvariantCulture) : -1;
        if (version == _keptVersion) return;
        if (version > _keptVersion)
        {
            await ReadAsync(database);
            return;
        }

        // Only a table with a version has a founded cluster.
        if (found.HasValue && await HasOtherClusterAsync())
        {
            LogOtherCluster();
            Environment.ExitCode = 1;
            lifetime.StopApplication();
            return;
        }

        // The condition fails if another silo has restored it meanwhile. A silo that has founded a cluster in the empty table finds itself
        // missing and restarts.
        var transaction = database.CreateTransaction();
        transaction.AddCondition(found.HasValue ? Condition.HashEqual(_key, VersionField, found) : Condition.HashNotExists(_key, VersionField));
        _ = transaction.KeyDeleteAsync(_key);
        _ = transaction.HashSetAsync(_key, _kept);
        if (await transaction.ExecuteAsync()) LogRestored(_keptVersion);
    }

    private async Task ReadAsync(IDatabase database)
    {
        var table = await database.HashGetAllAsync(_key);
        var found = table.FirstOrDefault(entry => entry.Name == VersionField).Value;
        if (!found.HasValue) return; // Lost between the two commands; the next round sees to it.
        (_kept, _keptVersion) = (table, int.Parse(found.ToString(), CultureInfo.InvariantCulture));
    }

    /// <summary>Whether the table has an active silo that was never in this silo's cluster and has announced itself recently.</summary>
    private async Task<bool> HasOtherClusterAsync()
    {
        var known = _kept.Select(entry => entry.Name.ToString()).ToHashSet(StringComparer.Ordinal);
        var announcedAfter = time.GetUtcNow().UtcDateTime - s_livesFor;
        var table = await membership.ReadAllAsync(CancellationToken.None);
        return table.Members.Any(member => member.Item1 is { Status: SiloStatus.Active } silo
            && silo.IAmAliveTime > announcedAfter && !known.Contains(silo.SiloAddress.ToString()));
    }

    [LoggerMessage(3201, LogLevel.Error, "Redis has the membership of another living cluster: this silo is none of its members, and stops.")]
    private partial void LogOtherCluster();

    [LoggerMessage(3200, LogLevel.Warning, "Redis had lost the cluster's membership; version {Version} of it is back.")]
    private partial void LogRestored(int version);
}
