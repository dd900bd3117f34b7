using StackExchange.Redis;

namespace Pulse.Grains.Presence;

/// <summary>Every Redis key that Pulse itself writes. Orleans defines its own membership keys.</summary>
internal static class RedisKeys
{
    /// <summary><c>user:&lt;userId&gt;:online</c> = <c>true</c>, with the TTL of <see cref="PresenceOptions.TimeToLive"/>.</summary>
    public static RedisKey Online(Guid userId) => $"user:{userId:D}:online";

    /// <summary>
    /// <c>user:&lt;userId&gt;:invisible</c> = <c>true</c>, beside <see cref="Online"/> and with the same TTL while the user is invisible.
    /// </summary>
    public static RedisKey Invisible(Guid userId) => $"user:{userId:D}:invisible";

    /// <summary>
    /// Lost whenever the keys above are lost. See <see cref="IndexCompleteness"/>. Its value is random, and it never expires.
    /// </summary>
    public static readonly RedisKey Marker = "pulse:presence:marker";
}
