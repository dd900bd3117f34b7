namespace Pulse.Identity;

/// <summary>The sign-in links on their way to one mailbox. The key is the normalised address (see <see cref="EmailAddress"/>).</summary>
/// <remarks>One activation for all front ends, so that what may be sent to one mailbox is bounded whichever of them is asked.</remarks>
[Alias("pulse.ISignInLinksGrain")]
public interface ISignInLinksGrain : IGrainWithStringKey
{
    /// <summary>Saves a new link, unless as many as may be are still good.</summary>
    /// <param name="tokenHash">SHA-256 of the link's token: 32 bytes. The token itself is for the mailbox alone.</param>
    /// <returns><see langword="false"/> if the link was not saved, and so must not be sent.</returns>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    [Alias("AddAsync")]
    Task<bool> AddAsync(byte[] tokenHash);
}
