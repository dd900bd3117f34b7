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
/// second cluster. The table's version only grows, so one that is lower than what was read before is a table that was lost. It is restored
/// only where no
/// other cluster lives by the table found: this silo may have been paused while its cluster was founded anew. Then this silo is the one
/// that is lost.
/// </remarks>
internal sealed partial class MembershipKeeper(
    IConnectionMultiplexer redis, IMembershipTable membership, ISiloStatusOracle oracle, IOptions<RedisClusteringOptions> clustering,
    IOptions<ClusterOptions> cluster, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<MembershipKeeper> logger) : BackgroundService
{
    /// <summary>How long an active silo counts as living after its last announcement: several times the interval of those.</summary>
    private static readonly TimeSpan LivesFor = TimeSpan.FromSeconds(15);

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
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // Redis is unavailable, or the table was lost while it was read, for which Orleans' provider has exceptions of its
                    // own: the next
                    // round looks again.
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

        // Without a version no cluster was founded in it.
        if (found.HasValue && await HasOtherClusterAsync())
        {
            LogOtherCluster();
            Environment.ExitCode = 1;
            lifetime.StopApplication();
            return;
        }

        // Only if no other silo has done so meanwhile. A silo that has founded a cluster in the empty table finds itself missing and
        // restarts.
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

    /// <summary>Whether the table has an active silo that has announced itself just now and that this silo's cluster never had.</summary>
    private async Task<bool> HasOtherClusterAsync()
    {
        var known = _kept.Select(entry => entry.Name.ToString()).ToHashSet(StringComparer.Ordinal);
        var announcedAfter = time.GetUtcNow().UtcDateTime - LivesFor;
        var table = await membership.ReadAllAsync(CancellationToken.None);
        return table.Members.Any(member => member.Item1 is { Status: SiloStatus.Active } silo
            && silo.IAmAliveTime > announcedAfter && !known.Contains(silo.SiloAddress.ToString()));
    }

    [LoggerMessage(3201, LogLevel.Error, "Redis has the membership of another living cluster: this silo is none of its members, and stops.")]
    private partial void LogOtherCluster();

    [LoggerMessage(3200, LogLevel.Warning, "Redis had lost the cluster's membership; version {Version} of it is back.")]
    private partial void LogRestored(int version);
}
