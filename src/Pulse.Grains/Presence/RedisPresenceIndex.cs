using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Pulse.Grains.Presence;

/// <summary>Presence keys in Redis, for other systems to read.</summary>
internal sealed class RedisPresenceIndex : IPresenceIndex
{
    private static readonly RedisValue Online = "true";

    private readonly IConnectionMultiplexer _redis;
    private readonly TimeSpan _timeToLive;
    private readonly IndexCompleteness _completeness;

    public RedisPresenceIndex(IConnectionMultiplexer redis, IOptions<PresenceOptions> options, TimeProvider time)
    {
        (_redis, _timeToLive) = (redis, options.Value.TimeToLive);

        // The sweep that renews a key may be two rounds late.
        _completeness = new(options.Value.KeyRenewalInterval + (2 * options.Value.SweepInterval), time);
        redis.ConnectionFailed += (_, _) => _completeness.Reset();
        redis.ConnectionRestored += (_, _) => _completeness.Reset();
    }

    // All commands go through one connection, in the order in which they were issued: that keeps a SET and a later DEL of one key in order.
    private IDatabase Database => _redis.GetDatabase();

    // SET … EX and not EXPIRE: one command that also heals a key that was lost. With GET (Redis 6.2) it also answers what was there: one round trip.
    public async Task<bool> SetOnlineAsync(Guid userId)
    {
        var before = Database.StringSetAndGetAsync(RedisKeys.Online(userId), Online, _timeToLive);
        await Translated(before);
        return await before == Online;
    }

    public Task SetOnlineAsync(IReadOnlyCollection<Guid> userIds)
    {
        // Issued without awaiting in between, they travel as one pipeline.
        var database = Database;
        var replies = new Task[userIds.Count];
        var i = 0;
        foreach (var userId in userIds) replies[i++] = database.StringSetAsync(RedisKeys.Online(userId), Online, _timeToLive);
        return Translated(Task.WhenAll(replies));
    }

    public Task SetOfflineAsync(Guid userId) => Translated(Database.KeyDeleteAsync(RedisKeys.Online(userId)));

    public async Task<bool> IsOnlineAsync(Guid userId)
    {
        var reply = Database.StringGetAsync(RedisKeys.Online(userId));
        await Translated(reply);
        return await reply == Online;
    }

    // One MGET: what Redis lost between two commands could otherwise be taken for users who are offline.
    public async Task<OnlineKeys> FindOnlineAsync(IReadOnlyList<Guid> userIds)
    {
        var reply = Database.StringGetAsync([.. userIds.Select(RedisKeys.Online), RedisKeys.Marker]);
        await Translated(reply);
        var values = await reply;
        var marker = (string?)values[^1];
        if (marker is null) Database.StringSet(RedisKeys.Marker, Guid.NewGuid().ToString("N"), when: When.NotExists, flags: CommandFlags.FireAndForget);
        return new(Array.ConvertAll(values[..^1], value => value == Online), _completeness.Observe(marker));
    }

    private static async Task Translated(Task reply)
    {
        try
        {
            await reply;
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            // The driver's own text lists counters and end points at length; its kind is what an operator needs here.
            throw new PresenceIndexUnavailableException(e is RedisServerException ? e.Message : e.GetType().Name);
        }
    }
}
