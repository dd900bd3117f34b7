namespace Pulse.Identity;

/// <summary>
/// The unused sign-in links of one mailbox. The key is the normalized address (see <see cref="EmailAddress"/>) in one spelling of the
/// mailbox, for example without a tag.
/// </summary>
/// <remarks>All front ends share one activation, so that the number of mails to one mailbox is limited across front ends.</remarks>
[Alias("pulse.ISignInLinksGrain")]
public interface ISignInLinksGrain : IGrainWithStringKey
{
    /// <summary>Saves a new link, unless the maximum of valid links is reached.</summary>
    /// <param name="tokenHash">SHA-256 of the link's token: 32 bytes. The token itself is only for the mailbox.</param>
    /// <returns><see langword="false"/> if the link was refused. The caller must then discard it.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    [Alias("AddAsync")]
    [Obsolete("Counts each spelling of a mailbox by itself. Front ends of earlier versions call it.")]
    Task<bool> AddAsync(byte[] tokenHash);

    /// <summary>As <c>AddAsync</c>, but counts all spellings of the mailbox together.</summary>
    /// <param name="email">The recipient of the mail.</param>
    /// <param name="tokenHash">SHA-256 of the link's token: 32 bytes.</param>
    /// <returns><see langword="false"/> if the link was refused. The caller must then discard it.</returns>
    [Alias("AddForAsync")]
    Task<bool> AddForAsync(string email, byte[] tokenHash);

    /// <summary>As <c>AddForAsync</c>, for a browser in which the mailbox's user has signed in before.</summary>
    /// <remarks>
    /// Such browsers have as many links again. Otherwise a stranger who asks for mails all the time would keep the user from signing in.
    /// </remarks>
    /// <param name="email">The recipient of the mail.</param>
    /// <param name="tokenHash">SHA-256 of the link's token: 32 bytes.</param>
    /// <returns><see langword="false"/> if the link was refused. The caller must then discard it.</returns>
    [Alias("AddForKnownBrowserAsync")]
    Task<bool> AddForKnownBrowserAsync(string email, byte[] tokenHash);

    /// <summary>Removes a link whose mail failed.</summary>
    [Alias("RemoveAsync")]
    Task RemoveAsync(byte[] tokenHash);

    /// <summary>Removes every link to that address, because the person has signed in with one or has signed out everywhere.</summary>
    [Alias("RemoveAllAsync")]
    Task RemoveAllAsync(string email);
}
