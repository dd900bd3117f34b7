namespace Pulse.Web.Presence;

/// <summary>Decides who may see whom. Register another implementation to replace <see cref="SignedInPresencePolicy"/>.</summary>
/// <remarks>
/// Asked when a client looks up or watches a user, and then for each watched user of each connection once in a sixth of <c>Pulse:Presence:TimeToLive</c>
/// (10 s by default): an implementation should answer from memory. A changed decision takes effect within that time.
/// </remarks>
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
