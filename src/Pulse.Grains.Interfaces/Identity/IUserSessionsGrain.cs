namespace Pulse.Identity;

/// <summary>The sign-in sessions of one user, and the only writer of their <c>sessions</c> rows. The key is the user id.</summary>
/// <remarks>
/// Every check of a session, on whichever node, goes through here. Every method throws <see cref="StoreUnavailableException"/> while the sessions cannot
/// be read and are not known from shortly before; those that write also while they cannot be written.
/// </remarks>
[Alias("pulse.IUserSessionsGrain")]
public interface IUserSessionsGrain : IGrainWithGuidKey
{
    /// <summary>Begins a session. It is in the database once this returns. With the same secret again it answers the session that there is.</summary>
    /// <returns><see langword="null"/>, and nothing is written, when the user has no row or is disabled.</returns>
    [Alias("StartAsync")]
    Task<SignInSession?> StartAsync(SessionStart start);

    /// <summary>The live session of a cookie, or <see langword="null"/>. Slides its expiry, writing at most once a day.</summary>
    /// <param name="tokenHash">SHA-256 of the cookie's secret, 32 bytes.</param>
    /// <param name="address">Where the request came from, for the list of sign-ins.</param>
    [Alias("AuthenticateAsync")]
    Task<SignInSession?> AuthenticateAsync(byte[] tokenHash, string? address);

    /// <summary>Whether a session (a token's <c>sid</c>) has neither ended nor run out.</summary>
    [Alias("IsLiveAsync")]
    Task<bool> IsLiveAsync(Guid sessionId);

    /// <summary>The live sessions, latest use first.</summary>
    [Alias("ListAsync")]
    Task<SignInSession[]> ListAsync();

    /// <summary>Ends a session. Its cookie and tokens are refused, everywhere, once this returns.</summary>
    /// <returns><see langword="false"/> when this user has no such session.</returns>
    [Alias("EndAsync")]
    Task<bool> EndAsync(Guid sessionId);

    /// <summary>Ends all sessions of the user.</summary>
    [Alias("EndAllAsync")]
    Task EndAllAsync();

    /// <summary>Ends the sessions that an account has opened, because it was unlinked, and those of which it is not known which account has.</summary>
    /// <param name="account">See <see cref="SessionStart.Account"/>.</param>
    /// <param name="except">
    /// The session that the unlinking was asked in: it goes on if it is not known which account has opened it. <see langword="null"/> for none.
    /// </param>
    [Alias("EndOfAccountAsync")]
    Task EndOfAccountAsync(string account, Guid? except);
}
