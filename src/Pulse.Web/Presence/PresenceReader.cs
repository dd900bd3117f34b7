using Pulse.Presence;

namespace Pulse.Web.Presence;

/// <summary>Reads the presence of many users in one call, as one viewer may see it.</summary>
internal sealed class PresenceReader(IGrainFactory grains, IPresencePolicy policy)
{
    /// <summary>The presence of each user, in that order.</summary>
    public async Task<PresenceResponse[]> ReadAsync(Guid viewer, IReadOnlyList<Guid> userIds, CancellationToken cancellationToken)
    {
        var visible = new List<Guid>(userIds.Count);
        foreach (var userId in userIds)
        {
            if (viewer == userId || await policy.MaySeeAsync(viewer, userId, cancellationToken)) visible.Add(userId);
        }

        var found = (await ReadAsync(visible)).ToDictionary(snapshot => snapshot.UserId);
        return
        [
            .. userIds.Select(userId => (found.TryGetValue(userId, out var snapshot) ? PresenceResponse.For(viewer, snapshot) : PresenceResponse.Hidden(userId))
                with { Version = null }),
        ];
    }

    /// <summary>The snapshots of these users, in that order.</summary>
    /// <param name="userIds">Any number.</param>
    /// <param name="knownVersions">See <see cref="IPresenceReaderGrain.ReadAsync"/>. Empty if all versions are unknown.</param>
    public async Task<PresenceSnapshot[]> ReadAsync(IReadOnlyCollection<Guid> userIds, IReadOnlyCollection<long>? knownVersions = null)
    {
        var reader = grains.GetGrain<IPresenceReaderGrain>(0);
        var answers = new List<PresenceSnapshot>(userIds.Count);
        foreach (var (ids, i) in userIds.Chunk(PresenceBatches.MaxUsers).Select((ids, i) => (ids, i)))
        {
            answers.AddRange(await reader.ReadAsync(ids, knownVersions is null ? [] : [.. knownVersions.Skip(i * PresenceBatches.MaxUsers).Take(ids.Length)]));
        }

        return [.. answers];
    }
}
