namespace Pulse.Identity;

/// <summary>
/// The sign-in links on their way to one mailbox. The key is the normalised address (see <see cref="EmailAddress"/>) in one spelling of the
/// mailbox: without a tag, for example.
/// </summary>
/// <remarks>One activation for all front ends, so that what may be sent to one mailbox is bounded whichever of them is asked.</remarks>
[Alias("pulse.ISignInLinksGrain")]
public interface ISignInLinksGrain : IGrainWithStringKey
{
    /// <summary>Saves a new link, unless as many as may be are still good.</summary>
    /// <param name="tokenHash">SHA-256 of the link's token: 32 bytes. The token itself is for the mailbox alone.</param>
    /// <returns><see langword="false"/> if the link was not saved, and so must not be sent.</returns>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    [Alias("AddAsync")]
    [Obsolete("Counts each spelling of a mailbox by itself. Front ends of earlier versions call it.")]
    Task<bool> AddAsync(byte[] tokenHash);

    /// <summary>As <c>AddAsync</c>, counting all spellings of the mailbox together.</summary>
    /// <param name="email">The address that the mail goes to.</param>
    /// <param name="tokenHash">SHA-256 of the link's token: 32 bytes.</param>
    /// <returns><see langword="false"/> if the link was not saved, and so must not be sent.</returns>
    [Alias("AddForAsync")]
    Task<bool> AddForAsync(string email, byte[] tokenHash);

    /// <summary>Removes a link that was not sent.</summary>
    [Alias("RemoveAsync")]
    Task RemoveAsync(byte[] tokenHash);

    /// <summary>Removes every link to that address: a person has signed in with one, or has signed out everywhere.</summary>
    [Alias("RemoveAllAsync")]
    Task RemoveAllAsync(string email);
}
