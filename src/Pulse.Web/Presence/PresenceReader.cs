using Pulse.Users;

namespace Pulse.Web.Presence;

/// <summary>Reads the presence of many users at once, as one viewer may see it.</summary>
internal sealed class PresenceReader(GrainReferences<IUserGrain> users, IPresencePolicy policy)
{
    // Grain calls that one request has under way at once; enough to hide the network, too few to starve others.
    private const int MaxParallelCalls = 32;

    /// <summary>The presence of each, in that order.</summary>
    public async Task<PresenceResponse[]> ReadAsync(Guid viewer, IReadOnlyList<Guid> userIds, CancellationToken cancellationToken)
    {
        var answers = new PresenceResponse[userIds.Count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = MaxParallelCalls, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, answers.Length, parallel, async (index, stop) =>
            answers[index] = viewer == userIds[index] || await policy.MaySeeAsync(viewer, userIds[index], stop)
                ? PresenceResponse.For(viewer, await users[userIds[index]].GetPresenceAsync()) with { Version = null }
                : PresenceResponse.Hidden(userIds[index]) with { Version = null });
        return answers;
    }
}
