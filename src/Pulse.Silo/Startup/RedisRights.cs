using Pulse.Grains.Presence;
using StackExchange.Redis;

namespace Pulse.Silo.Startup;

/// <summary>Whether Redis answers and lets Pulse do what it needs: docs/operating.md lists the rights.</summary>
public static class RedisRights
{
    private const int TimeoutMs = 2_000;

    // First words of Redis' error replies, each the kind of the error (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
    private static readonly string[] s_kinds = ["LOADING", "WRONGPASS", "NOAUTH", "NOPERM", "MASTERDOWN", "READONLY", "MISCONF", "OOM", "CLUSTERDOWN"];

    /// <summary>Does once what a silo does all the time, without a lasting effect; for a front end, which only reads, no more than that.</summary>
    /// <returns>Why not: Redis does not answer, or refuses something. <see langword="null"/> where all is well.</returns>
    public static async Task<string?> CheckAsync(ConfigurationOptions redis, bool writes, CancellationToken cancellationToken)
    {
        var options = redis.Clone();
        options.AbortOnConnectFail = true;
        options.ConnectRetry = 1;
        options.ConnectTimeout = TimeoutMs;
        options.AsyncTimeout = TimeoutMs;
        try
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(cancellationToken);
            var database = connection.GetDatabase();
            await database.PingAsync().WaitAsync(cancellationToken);
            await UseAsync(database, writes).WaitAsync(cancellationToken);
            return null;
        }
        catch (Exception e) when (e is RedisException or RedisCommandException or TimeoutException)
        {
            return Reason(e);
        }
    }

    private static async Task UseAsync(IDatabase database, bool writes)
    {
        // As Orleans' membership table, whose keys begin with the service id, pulse by default.
        RedisKey key = $"pulse/start/{Guid.NewGuid():N}";
        await database.HashGetAllAsync(key);
        if (!writes) return;

        // Of nobody: user ids are not empty.
        await database.KeyDeleteAsync(RedisKeys.Online(Guid.Empty));
        await database.StringGetAsync(RedisKeys.Marker);
        var transaction = database.CreateTransaction();
        transaction.AddCondition(Condition.HashNotExists(key, "Version"));
        var written = transaction.HashSetAsync(key, "Version", "0");
        var expires = transaction.KeyExpireAsync(key, TimeSpan.FromSeconds(10));
        if (await transaction.ExecuteAsync()) await Task.WhenAll(written, expires);
        await database.ScriptEvaluateAsync("return redis.call('DEL', KEYS[1])", [key]);
    }

    private static string Reason(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            foreach (var kind in s_kinds)
            {
                // The reply itself holds no secret; what the driver writes around it lists end points and counters.
                if (e.Message.IndexOf(kind, StringComparison.Ordinal) is var at and >= 0) return e.Message[at..].Split('\n')[0].Trim();
            }
        }

        return exception is RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure }
            ? "it refuses the user name or the password"
            : "it does not answer";
    }
}
