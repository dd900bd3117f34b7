namespace Pulse.Grains.Presence;

/// <summary>Decides whether a key that is missing from Redis proves that its user is offline.</summary>
/// <remarks>
/// After a flush, a restart or a failover of Redis the keys of online users return within one renewal interval. A flush removes the marker
/// key, and the other two break the connection. So a missing key counts once this process has seen the same marker over the same connection
/// for that interval. The interval is measured on the monotonic clock, because the clocks of other processes may be wrong.
/// </remarks>
internal sealed class IndexCompleteness(TimeSpan settlingTime, TimeProvider time)
{
    private readonly Lock _lock = new();
    private string? _marker;
    private long _seenSince;

    /// <summary>Records the marker that was read together with the keys.</summary>
    /// <param name="marker">Its value, or <see langword="null"/> when it is missing.</param>
    /// <returns>Whether the keys of the same read are complete.</returns>
    public bool Observe(string? marker)
    {
        lock (_lock)
        {
            if (marker is null || marker != _marker)
            {
                (_marker, _seenSince) = (marker, time.GetTimestamp());
                return false;
            }

            return time.GetElapsedTime(_seenSince) >= settlingTime;
        }
    }

    /// <summary>Called when the connection to Redis broke, because keys may have been lost.</summary>
    public void Reset()
    {
        lock (_lock) _marker = null;
    }
}
