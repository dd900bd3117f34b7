using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>One status and message for a user with many connections.</summary>
internal static class DeviceStatus
{
    /// <summary>
    /// Invisible on one device hides the user; else busy comes before online, and online before away: somebody who is at one keyboard is not away. Of
    /// several equal ones the latest set gives the message.
    /// </summary>
    /// <param name="connections">The live ones, and those that are expected back; none counts as online.</param>
    /// <param name="now">The silo's clock.</param>
    /// <param name="awayAfter">A connection whose client has not called for so long counts as away if it was online.</param>
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

    // Any other number comes from a newer front end: connected is all that can be said.
    private static int Rank(PresenceStatus status) => status switch
    {
        PresenceStatus.Invisible => 3,
        PresenceStatus.Busy => 2,
        PresenceStatus.Away => 0,
        _ => 1,
    };
}
