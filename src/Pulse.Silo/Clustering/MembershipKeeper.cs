using System.Globalization;
using Microsoft.Extensions.Options;
using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Orleans.Runtime;
using StackExchange.Redis;

namespace Pulse.Silo.Clustering;

/// <summary>Puts the cluster's membership back into a Redis that has lost it: flushed, or restarted empty.</summary>
/// <remarks>
/// Silos go on with the membership that they know, but do not write it again: front ends would find no silo, and a silo that starts would found a
/// second cluster. The table's version only grows, so one that is lower than what was read before is a table that was lost.
/// </remarks>
internal sealed partial class MembershipKeeper(
    IConnectionMultiplexer redis, ISiloStatusOracle oracle, IOptions<RedisClusteringOptions> clustering, IOptions<ClusterOptions> cluster,
    TimeProvider time, ILogger<MembershipKeeper> logger) : BackgroundService
{
    // As Orleans' provider names the table's version in its hash.
    private const string VersionField = "Version";

    // Shorter than front ends take to look for silos again.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly RedisKey _key = clustering.Value.CreateRedisKey(cluster.Value);
    private HashEntry[] _kept = [];
    private int _keptVersion;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    // Not while it joins or leaves: what counts then is what others say.
                    if (oracle.CurrentStatus == SiloStatus.Active) await KeepAsync();
                }
                catch (Exception e) when (e is RedisException or TimeoutException)
                {
                    // Away: there is nothing to put anything into.
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
        var table = await database.HashGetAllAsync(_key);
        var found = table.FirstOrDefault(entry => entry.Name == VersionField).Value;
        var version = found.HasValue ? int.Parse(found.ToString(), CultureInfo.InvariantCulture) : -1;
        if (version >= _keptVersion)
        {
            (_kept, _keptVersion) = (table, version);
            return;
        }

        // Only if nobody else has done so meanwhile. A silo that has founded a cluster in the empty table finds itself missing and restarts.
        var transaction = database.CreateTransaction();
        transaction.AddCondition(found.HasValue ? Condition.HashEqual(_key, VersionField, found) : Condition.HashNotExists(_key, VersionField));
        _ = transaction.KeyDeleteAsync(_key);
        _ = transaction.HashSetAsync(_key, _kept);
        if (await transaction.ExecuteAsync()) LogRestored(_keptVersion);
    }

    [LoggerMessage(3200, LogLevel.Warning, "Redis had lost the cluster's membership; version {Version} of it is back.")]
    private partial void LogRestored(int version);
}
