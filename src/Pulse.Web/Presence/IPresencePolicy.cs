namespace Pulse.Web.Presence;

/// <summary>Decides who may see whom. Register another implementation to replace <see cref="SignedInPresencePolicy"/>.</summary>
public interface IPresencePolicy
{
    /// <summary>Whether the viewer may see the user's presence. Somebody who may not sees the user as offline, never seen, and is not told of changes.</summary>
    ValueTask<bool> MaySeeAsync(Guid viewerId, Guid userId, CancellationToken cancellationToken = default);
}

/// <summary>Whoever is signed in may see everybody; who does not want to be seen is invisible.</summary>
internal sealed class SignedInPresencePolicy : IPresencePolicy
{
    public ValueTask<bool> MaySeeAsync(Guid viewerId, Guid userId, CancellationToken cancellationToken = default) => new(true);
}
