using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Pulse.Grains.Presence;

/// <summary>Presence keys in Redis, for other systems to read.</summary>
internal sealed class RedisPresenceIndex : IPresenceIndex
{
    private static readonly RedisValue s_present = "true";

    private readonly IConnectionMultiplexer _redis;
    private readonly TimeSpan _timeToLive;
    private readonly IndexCompleteness _completeness;

    public RedisPresenceIndex(IConnectionMultiplexer redis, IOptions<PresenceOptions> options, TimeProvider time)
    {
        (_redis, _timeToLive) = (redis, options.Value.TimeToLive);

        // The loop that renews a key may be two rounds late.
        _completeness = new(options.Value.KeyRenewalInterval + (2 * options.Value.SweepInterval), time);
        redis.ConnectionFailed += (_, _) => _completeness.Reset();
        redis.ConnectionRestored += (_, _) => _completeness.Reset();
    }

    // All commands use one connection, in the order in which they were issued, so that a SET and a later DEL of one key stay in order.
    private IDatabase Database => _redis.GetDatabase();

    // SET … EX instead of EXPIRE, because the one command also restores a lost key. With GET (Redis 6.2) it returns the old value in the
    // same round trip.
    public async Task<bool> SetOnlineAsync(Guid userId, bool invisible)
    {
        var database = Database;
        var first = invisible ? SetInvisibleAsync(database, userId) : Task.CompletedTask;
        var before = database.StringSetAndGetAsync(RedisKeys.Online(userId), s_present, _timeToLive);
        await Translated(Task.WhenAll(first, before));
        return await before == s_present;
    }

    public Task SetOnlineAsync(IReadOnlyCollection<(Guid UserId, bool Invisible)> users)
    {
        // Issued without an await in between, the commands travel as one pipeline.
        var database = Database;
        var replies = new List<Task>(users.Count);
        foreach (var (userId, invisible) in users)
        {
            if (invisible) replies.Add(SetInvisibleAsync(database, userId));
            replies.Add(database.StringSetAsync(RedisKeys.Online(userId), s_present, _timeToLive));
        }

        return Translated(Task.WhenAll(replies));
    }

    public Task SetInvisibleAsync(Guid userId, bool invisible) =>
        Translated(invisible ? SetInvisibleAsync(Database, userId) : Database.KeyDeleteAsync(RedisKeys.Invisible(userId)));

    // Two commands instead of one with two keys, because in Redis Cluster the keys are on different nodes.
    public Task SetOfflineAsync(Guid userId, bool wasInvisible)
    {
        var database = Database;
        var deleted = database.KeyDeleteAsync(RedisKeys.Online(userId));
        return Translated(wasInvisible ? Task.WhenAll(deleted, database.KeyDeleteAsync(RedisKeys.Invisible(userId))) : deleted);
    }

    public Task<bool> IsOnlineAsync(Guid userId) => IsPresentAsync(RedisKeys.Online(userId));

    public Task<bool> IsInvisibleAsync(Guid userId) => IsPresentAsync(RedisKeys.Invisible(userId));

    private Task<bool> SetInvisibleAsync(IDatabase database, Guid userId) => database.StringSetAsync(RedisKeys.Invisible(userId), s_present, _timeToLive);

    private async Task<bool> IsPresentAsync(RedisKey key)
    {
        var reply = Database.StringGetAsync(key);
        await Translated(reply);
        return await reply == s_present;
    }

    // The marker is read last, so that any loss of keys while the pipeline runs also shows as a lost marker. Single GETs, because in Redis
    // Cluster the keys are on different nodes.
    public async Task<OnlineKeys> FindOnlineAsync(IReadOnlyList<Guid> userIds)
    {
        var database = Database;
        var replies = new Task<RedisValue>[userIds.Count + 1];
        for (var i = 0; i < userIds.Count; i++) replies[i] = database.StringGetAsync(RedisKeys.Online(userIds[i]));
        replies[^1] = database.StringGetAsync(RedisKeys.Marker);
        await Translated(Task.WhenAll(replies));

        var values = await Task.WhenAll(replies);
        var marker = (string?)values[^1];
        if (marker is null) database.StringSet(RedisKeys.Marker, Guid.NewGuid().ToString("N"), when: When.NotExists, flags: CommandFlags.FireAndForget);
        return new(Array.ConvertAll(values[..^1], value => value == s_present), _completeness.Observe(marker));
    }

    private static async Task Translated(Task reply)
    {
        try
        {
            await reply;
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            // The driver's own text is a long list of counters and end points. An operator needs only the kind of error.
            throw new PresenceIndexUnavailableException(e is RedisServerException ? e.Message : e.GetType().Name);
        }
    }
}
