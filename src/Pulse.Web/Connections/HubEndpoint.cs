using Pulse.Presence;

namespace Pulse.Web.Connections;

/// <summary>The path and the timeout of the hub.</summary>
internal static class HubEndpoint
{
    public const string Path = "/hubs/pulse";

    /// <summary>See <see cref="LeaseTimes.ClientTimeout"/>.</summary>
    public static readonly TimeSpan ClientTimeout = LeaseTimes.ClientTimeout;
}
