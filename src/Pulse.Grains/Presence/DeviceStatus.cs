using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>Merges the statuses and messages of a user's connections into one.</summary>
internal static class DeviceStatus
{
    /// <summary>
    /// Invisible on one device makes the user invisible. Otherwise busy outranks online and online outranks away, because a user at one
    /// keyboard is present. Among equal statuses the latest one provides the message.
    /// </summary>
    /// <param name="connections">Live connections and those in their grace period. An empty list counts as online.</param>
    /// <param name="now">The silo's clock.</param>
    /// <param name="awayAfter">An online connection counts as away if its client has not called for this time.</param>
    public static (PresenceStatus Status, string? Message) Merge(IEnumerable<ConnectionLease> connections, DateTimeOffset now, TimeSpan awayAfter)
    {
        ConnectionLease? best = null;
        var bestRank = -1;
        foreach (var connection in connections)
        {
            var rank = Rank(Effective(connection, now, awayAfter));
            if (rank < bestRank || (rank == bestRank && connection.StatusSetAt <= best!.StatusSetAt)) continue;
            (best, bestRank) = (connection, rank);
        }

        return best is null ? (PresenceStatus.Online, null) : (Effective(best, now, awayAfter), best.Message);
    }

    private static PresenceStatus Effective(ConnectionLease connection, DateTimeOffset now, TimeSpan awayAfter) =>
        connection.Status == PresenceStatus.Online && connection.ActiveAt + awayAfter <= now ? PresenceStatus.Away : connection.Status;

    // Unknown numbers come from a newer front end and count as connected.
    private static int Rank(PresenceStatus status) => status switch
    {
        PresenceStatus.Invisible => 3,
        PresenceStatus.Busy => 2,
        PresenceStatus.Away => 0,
        _ => 1,
    };
}
