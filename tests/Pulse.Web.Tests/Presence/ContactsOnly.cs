using System.Collections.Concurrent;
using Pulse.Web.Conversations;
using Pulse.Web.Presence;

namespace Pulse.Web.Tests.Presence;

// docs/dotnet/policies.md quotes both classes.

/// <summary>Which users are contacts of each other, in memory. An application fills it from its own database and keeps it current.</summary>
public sealed class Contacts
{
    private readonly ConcurrentDictionary<(Guid, Guid), bool> _pairs = new();

    public void Add(Guid one, Guid other) => _pairs[(one, other)] = _pairs[(other, one)] = true;

    public void Remove(Guid one, Guid other)
    {
        _pairs.TryRemove((one, other), out _);
        _pairs.TryRemove((other, one), out _);
    }

    public bool Have(Guid one, Guid other) => one == other || _pairs.ContainsKey((one, other));
}

/// <summary>Users see and message their contacts only, and join channels of their contacts only.</summary>
public sealed class ContactsOnly(Contacts contacts) : IPresencePolicy, IConversationPolicy
{
    public ValueTask<bool> MaySeeAsync(Guid viewerId, Guid userId, CancellationToken cancellationToken = default) =>
        new(contacts.Have(viewerId, userId));

    public ValueTask<bool> MayStartAsync(Guid userId, string kind, IReadOnlyList<Guid> others, CancellationToken cancellationToken) =>
        new(others.All(other => contacts.Have(userId, other)));

    public ValueTask<bool> MayAddAsync(Guid userId, Guid conversationId, Guid otherId, CancellationToken cancellationToken) =>
        new(contacts.Have(userId, otherId));

    public ValueTask<bool> MayJoinAsync(Guid userId, Guid conversationId, Guid creatorId, CancellationToken cancellationToken) =>
        new(contacts.Have(userId, creatorId));
}
