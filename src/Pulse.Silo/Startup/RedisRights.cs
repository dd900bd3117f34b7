using System.Security.Authentication;
using Pulse.Grains.Presence;
using StackExchange.Redis;

namespace Pulse.Silo.Startup;

/// <summary>Whether Redis answers and grants Pulse the rights that docs/operating.md lists.</summary>
public static class RedisRights
{
    private const int TimeoutMs = 2_000;

    // First words of Redis' error replies, each the kind of the error
    // (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
    private static readonly string[] s_kinds = ["LOADING", "WRONGPASS", "NOAUTH", "NOPERM", "MASTERDOWN", "READONLY", "MISCONF", "OOM", "CLUSTERDOWN"];

    /// <summary>
    /// Runs each kind of a silo's commands once, without a lasting effect. For a front end, which only reads, it runs the reads.
    /// </summary>
    /// <returns>The reason why Redis is unusable: it does not answer, or refuses a command. <see langword="null"/> if all commands
    /// succeed.</returns>
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
        // The same commands as Orleans' membership table, whose keys begin with the service id, pulse by default.
        RedisKey key = $"pulse/start/{Guid.NewGuid():N}";
        await database.HashGetAllAsync(key);
        if (!writes) return;

        // The empty id is unused by users.
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
                // The reply itself is free of secrets. The driver's text around it lists end points and counters.
                if (e.Message.IndexOf(kind, StringComparison.Ordinal) is var at and >= 0) return e.Message[at..].Split('\n')[0].Trim();
            }

            // The driver reports a failed handshake as a failed authentication.
            if (e is AuthenticationException) return $"the TLS handshake fails: {e.Message}";
        }

        return exception is RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure }
            ? "Redis refuses the user name or the password"
            : "it does not answer";
    }
}
