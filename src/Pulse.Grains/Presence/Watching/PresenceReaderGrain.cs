using Orleans.Concurrency;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Grains.Presence.Watching;

/// <summary>
/// Reads the presence index first, so that only users with a key cost a grain call. lastSeen of offline users comes from one statement.
/// </summary>
[GrainType("presencereader")]
[StatelessWorker, Reentrant]
internal sealed class PresenceReaderGrain(
    IPresenceIndex index, ILastSeenStore users, SiloPauseGuard pause, IClusterMembershipService membership, IGrainFactory grains, TimeProvider time)
    : Grain, IPresenceReaderGrain
{
    // Enough calls to hide the network latency, and few enough to leave capacity for other callers.
    private const int CallsAtOnce = 32;

    public async Task<PresenceSnapshot[]> ReadAsync(Guid[] userIds, long[] knownVersions)
    {
        // Taken before the index is read, so that a user who connects meanwhile has a later version.
        var version = time.GetUtcNow().ToUnixTimeMilliseconds();
        // If the index is incomplete, the users' grains decide, because a missing key then proves nothing.
        var isOnline = await FindOnlineAsync(userIds);
        var answers = new PresenceSnapshot[userIds.Length];
        List<int> absent = [], others = [];
        for (var i = 0; i < userIds.Length; i++) (isOnline.Length > 0 && !isOnline[i] && Known(i) == 0 ? absent : others).Add(i);

        // lastSeen is read for all users. Otherwise the time of the answer, or a database outage, would set an invisible user apart from an
        // offline one.
        var lastSeen = FindLastSeenAsync([.. userIds.Where((_, i) => Known(i) == 0)]);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce, TaskScheduler = TaskScheduler.Current };
        await Parallel.ForEachAsync(others, parallel, async (i, _) => answers[i] = await grains.GetGrain<IUserGrain>(userIds[i]).ReadPresenceAsync(Known(i)));
        int[] hidden = [.. others.Where(i => Known(i) == 0 && answers[i].Status == PresenceStatus.Offline)];
        if (absent.Count + hidden.Length == 0) return answers;

        var found = await lastSeen;
        foreach (var i in absent) answers[i] = Absent(userIds[i], LastSeen(i), version);
        foreach (var i in hidden)
        {
            // A later change whose version is lower, because this silo's clock leads, must not look newer to a front end.
            answers[i] = answers[i] with { LastSeenAt = LastSeen(i), Version = Math.Max(answers[i].Version, version), VersionForOthers = version };
        }

        return answers;

        DateTimeOffset? LastSeen(int i) => found.TryGetValue(userIds[i], out var at) ? at : null;

        long Known(int i) => knownVersions.Length == 0 ? 0 : knownVersions[i];
    }

    public async Task<bool[]> FindOnlineAsync(Guid[] userIds)
    {
        try
        {
            var keys = await index.FindOnlineAsync(userIds);
            return keys.IsComplete && pause.MayExpireLeases ? keys.IsOnline : [];
        }
        catch (PresenceIndexUnavailableException)
        {
            return [];
        }
    }

    public Task<string[]> ListSilosAsync() => Task.FromResult<string[]>(
    [
        .. membership.CurrentSnapshot.Members.Values.Where(silo => silo.Status == SiloStatus.Active).Select(silo => silo.SiloAddress.ToParsableString()),
    ]);

    // Equal to the answer of a new activation for an offline or invisible user, so that the answer does not reveal whether an activation
    // exists.
    private static PresenceSnapshot Absent(Guid userId, DateTimeOffset? lastSeenAt, long version) => new()
    {
        UserId = userId,
        Status = PresenceStatus.Offline,
        OwnStatus = PresenceStatus.Offline,
        LastSeenAt = lastSeenAt,
        Version = version,
        VersionForOthers = version,
    };

    private async Task<IReadOnlyDictionary<Guid, DateTimeOffset>> FindLastSeenAsync(Guid[] userIds)
    {
        try
        {
            return await users.FindLastSeenAsync(userIds);
        }
        catch (StoreUnavailableException)
        {
            // Presence works while the database is unavailable. Only lastSeen is missing.
            return new Dictionary<Guid, DateTimeOffset>();
        }
    }
}
