using BenchmarkDotNet.Attributes;
using Pulse.Grains.Presence;
using Pulse.Presence;

namespace Pulse.Benchmarks;

/// <summary>A renewal: the work of a user's grain with a known lease.</summary>
[MemoryDiagnoser]
public class LeaseBenchmarks
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ConnectionLeases _leases = new(TimeSpan.FromSeconds(40));
    private readonly ConnectionLease[] _renewals = [.. Enumerable.Range(0, 3).Select(i => new ConnectionLease
    {
        ConnectionId = $"connection-{i}", FrontEndId = "front-end", SeenAt = s_start, ConnectedAt = s_start, ActiveAt = s_start,
    })];

    private long _ticks;

    /// <summary>A connection of a user with three, and the merged status.</summary>
    [Benchmark]
    public PresenceStatus RenewAndMerge()
    {
        var now = s_start.AddTicks(++_ticks);
        _leases.Renew(_renewals[_ticks % _renewals.Length], now);
        return DeviceStatus.Merge(_leases.Shown, now, TimeSpan.FromMinutes(5)).Status;
    }
}
