namespace Pulse.Web.Presence;

/// <summary>
/// Decides which users may see each other. Register another implementation to replace <see cref="SignedInPresencePolicy"/>.
/// </summary>
/// <remarks>
/// The policy is called when a client looks up or watches a user, and then for each watched user of each connection once in a sixth of
/// <c>Pulse:Presence:TimeToLive</c> (10 s by default), so an implementation should answer from memory. A changed decision takes effect
/// within that time.
/// </remarks>
public interface IPresencePolicy
{
    /// <summary>
    /// Whether the viewer may see the user's presence. Otherwise the viewer sees the user as offline, never seen, and gets no changes.
    /// </summary>
    ValueTask<bool> MaySeeAsync(Guid viewerId, Guid userId, CancellationToken cancellationToken = default);
}

/// <summary>Lets every signed-in user see all others. A user can be invisible instead.</summary>
internal sealed class SignedInPresencePolicy : IPresencePolicy
{
    public ValueTask<bool> MaySeeAsync(Guid viewerId, Guid userId, CancellationToken cancellationToken = default) => new(true);
}
