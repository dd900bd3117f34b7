namespace Pulse.Cluster.Tests;

/// <summary>How much is put on the cluster: a short set for every run, the long one with <c>PULSE_CLUSTER_SET=long</c>.</summary>
internal static class Scale
{
    public static readonly bool IsLong = Environment.GetEnvironmentVariable("PULSE_CLUSTER_SET") == "long";

    /// <summary>Users with a socket.</summary>
    public static int Users => IsLong ? 3_000 : 200;

    /// <summary>Sockets that watch; every user is watched by two of them.</summary>
    public static int Watchers => IsLong ? 20 : 4;

    /// <summary>Users whose profile is being written.</summary>
    public static int Writers => IsLong ? 50 : 10;

    /// <summary>Of a presence key. The short set halves all of presence's times.</summary>
    public static TimeSpan TimeToLive => TimeSpan.FromSeconds(IsLong ? 60 : 30);

    /// <summary>How long a store is away.</summary>
    public static TimeSpan Outage => TimeSpan.FromSeconds(IsLong ? 60 : 6);

    /// <summary>How long nothing happens before what must hold is looked at once more.</summary>
    public static TimeSpan Quiet => IsLong ? TimeToLive : TimeToLive / 10;

    /// <summary>Longest wait for a state that must come: what is promised, and twice that again for a busy machine.</summary>
    public static TimeSpan Patience => TimeToLive * 3;
}
