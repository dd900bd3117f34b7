namespace Pulse.Cluster.Tests;

/// <summary>The load on the cluster: a short set for every run, the long one with <c>PULSE_CLUSTER_SET=long</c>.</summary>
internal static class Scale
{
    public static readonly bool IsLong = Environment.GetEnvironmentVariable("PULSE_CLUSTER_SET") == "long";

    /// <summary>Users with a socket.</summary>
    public static int Users => IsLong ? 3_000 : 200;

    /// <summary>Users whose sockets are all at one front end: <c>PULSE_CLUSTER_CROWD</c>, or the number of the set.</summary>
    public static int Crowd => int.TryParse(Environment.GetEnvironmentVariable("PULSE_CLUSTER_CROWD"), out var crowd) ? crowd : IsLong ? 10_000 : 200;

    /// <summary>Sockets that watch. Every user is watched by two of them.</summary>
    public static int Watchers => IsLong ? 20 : 4;

    /// <summary>Users whose profile is being written.</summary>
    public static int Writers => IsLong ? 50 : 10;

    /// <summary>The lifetime of a presence key. The short set halves all of presence's times.</summary>
    public static TimeSpan TimeToLive => TimeSpan.FromSeconds(IsLong ? 60 : 30);

    /// <summary>How long a store is unavailable: <c>PULSE_CLUSTER_FAULT_SECONDS</c>, or the time of the set.</summary>
    public static TimeSpan Outage => FaultTime ?? TimeSpan.FromSeconds(IsLong ? 60 : 6);

    /// <summary>How many messages are acknowledged while processes are killed: <c>PULSE_CLUSTER_MESSAGES</c>, or the number of the set.</summary>
    public static int Messages => int.TryParse(Environment.GetEnvironmentVariable("PULSE_CLUSTER_MESSAGES"), out var messages) ? messages : IsLong ? 10_000 : 300;

    /// <summary>How long a second program holds the row of a conversation: <c>PULSE_CLUSTER_FAULT_SECONDS</c>, or the time of the set.</summary>
    public static TimeSpan Lock => FaultTime ?? TimeSpan.FromSeconds(IsLong ? 30 : 6);

    /// <summary>The quiet time before the rules are checked once more.</summary>
    public static TimeSpan Quiet => IsLong ? TimeToLive : TimeToLive / 10;

    /// <summary>How often all clients connect and disconnect until a process is warm: code, pools, threads.</summary>
    public static int WarmUpRounds => IsLong ? 1 : 8;

    /// <summary>How often they do so while it is measured. Takes a second each in the short set.</summary>
    public static int MeasuredRounds => IsLong ? 2 : 9;

    /// <summary>The number of the last rounds in which memory is read.</summary>
    public static int MemoryLooks => IsLong ? 1 : 3;

    /// <summary>How long idle grains live: the silos' collection age and quantum, and some more. Too long for the short set.</summary>
    public static TimeSpan UntilGrainsAreGone => IsLong ? TimeSpan.FromMinutes(4.5) : TimeSpan.Zero;

    /// <summary>Longest wait for a state that must come: the promised time, and twice that again for a busy machine.</summary>
    public static TimeSpan StartTimeout => TimeToLive * 3;

    private static TimeSpan? FaultTime =>
        int.TryParse(Environment.GetEnvironmentVariable("PULSE_CLUSTER_FAULT_SECONDS"), out var seconds) ? TimeSpan.FromSeconds(seconds) : null;
}
