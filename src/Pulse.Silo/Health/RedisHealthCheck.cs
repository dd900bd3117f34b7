using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Pulse.Silo.Health;

/// <summary>
/// Whether Redis answers and accepts writes. While Redis is unavailable, Pulse works except for updates of the presence keys, so it is
/// degraded instead of unhealthy.
/// </summary>
internal sealed class RedisHealthCheck(IConnectionMultiplexer redis, TimeProvider time) : SharedHealthCheck(time)
{
    private static readonly RedisKey s_key = "pulse/health";
    private static readonly TimeSpan s_keyLifetime = TimeSpan.FromMinutes(1);

    protected override async Task<HealthCheckResult> AskAsync()
    {
        try
        {
            await redis.GetDatabase().PingAsync(CommandFlags.PreferReplica);
        }
        catch (Exception e) when (IsFromRedis(e))
        {
            return HealthCheckResult.Degraded("Redis does not answer: presence goes on, its keys are not updated until Redis is back.");
        }

        try
        {
            // A real write, because a replica (READONLY), a full memory (OOM) and a full disk (MISCONF) refuse nothing else.
            await redis.GetDatabase().StringSetAsync(s_key, "true", s_keyLifetime);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (IsFromRedis(e))
        {
            return HealthCheckResult.Degraded($"Redis takes no writes{Code(e)}: presence goes on, its keys are not updated until Redis takes them.");
        }
    }

    // The driver refuses a write itself once it knows that the server is a replica.
    private static bool IsFromRedis(Exception exception) => exception is RedisException or RedisCommandException or TimeoutException;

    // The first word of an error is its kind. The rest may name keys or users.
    private static string Code(Exception exception) =>
        exception is RedisServerException && exception.Message.Split(' ')[0] is { Length: > 0 } code && code.All(char.IsAsciiLetterUpper) ? $" ({code})" : "";
}
