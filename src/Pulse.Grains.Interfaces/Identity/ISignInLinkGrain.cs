namespace Pulse.Identity;

/// <summary>
/// One sign-in link. The key is <see cref="SignInLinkKey"/>. Every method throws <see cref="StoreUnavailableException"/> while the database
/// is unavailable.
/// </summary>
[Alias("pulse.ISignInLinkGrain")]
public interface ISignInLinkGrain : IGrainWithStringKey
{
    /// <summary>The link's present state. The link remains usable.</summary>
    [Alias("PeekAsync")]
    Task<SignInLink> PeekAsync();

    /// <summary>Uses the link up. Of any number of callers, one gets <see cref="SignInLinkState.Good"/>.</summary>
    [Alias("ConsumeAsync")]
    Task<SignInLink> ConsumeAsync();

    /// <summary>As <see cref="ConsumeAsync"/>, but repeats its answer for a minute, for a caller whose answer was lost.</summary>
    /// <remarks>Only for callers that have verified that the browser is the one that requested the link.</remarks>
    [Alias("RedeemAsync")]
    Task<SignInLink> RedeemAsync();

    /// <summary>Counts a wrong code that was entered instead of the link. The fifth one uses the link up.</summary>
    /// <returns>Whether the link is still valid.</returns>
    [Alias("CountWrongCodeAsync")]
    Task<bool> CountWrongCodeAsync();
}

/// <summary>Makes the key of an <see cref="ISignInLinkGrain"/>.</summary>
public static class SignInLinkKey
{
    /// <summary>The key: the hash in upper-case hexadecimal.</summary>
    /// <param name="tokenHash">SHA-256 of the link's token.</param>
    public static string From(byte[] tokenHash) => Convert.ToHexString(tokenHash);

    /// <summary>The hash from which a key was made.</summary>
    public static byte[] ToHash(string key) => Convert.FromHexString(key);
}
