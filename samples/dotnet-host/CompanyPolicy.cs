using Pulse.Web.Conversations;
using Pulse.Web.Presence;

namespace Pulse.Samples.Host;

/// <summary>
/// Users of one company see each other, talk to each other, and find each other's channels. For all other users they are offline and cannot
/// be messaged.
/// </summary>
internal sealed class CompanyPolicy(Companies companies) : IPresencePolicy, IConversationPolicy
{
    public async ValueTask<bool> MaySeeAsync(Guid viewerId, Guid userId, CancellationToken cancellationToken = default) =>
        viewerId == userId || await AreColleaguesAsync(viewerId, userId);

    public async ValueTask<bool> MayStartAsync(Guid userId, string kind, IReadOnlyList<Guid> others, CancellationToken cancellationToken)
    {
        foreach (var other in others)
        {
            if (!await AreColleaguesAsync(userId, other)) return false;
        }

        return true;
    }

    public ValueTask<bool> MayAddAsync(Guid userId, Guid conversationId, Guid otherId, CancellationToken cancellationToken) =>
        AreColleaguesAsync(userId, otherId);

    public async ValueTask<bool> MayJoinAsync(Guid userId, Guid conversationId, Guid creatorId, CancellationToken cancellationToken) =>
        userId == creatorId || await AreColleaguesAsync(userId, creatorId);

    private async ValueTask<bool> AreColleaguesAsync(Guid userId, Guid otherId) =>
        await companies.OfAsync(userId) is { } company && company == await companies.OfAsync(otherId);
}
