namespace Pulse.Identity;

/// <summary>The sign-in sessions of one user, and the only writer of the user's <c>sessions</c> rows. The key is the user id.</summary>
/// <remarks>
/// Every front end checks sessions here. Every method throws <see cref="StoreUnavailableException"/> while the sessions cannot be read and
/// were not read shortly before. Methods that write also throw it while the rows cannot be written.
/// </remarks>
[Alias("pulse.IUserSessionsGrain")]
public interface IUserSessionsGrain : IGrainWithGuidKey
{
    /// <summary>
    /// Begins a session, which is in the database when the call returns. A repeated call with the same secret returns the existing session.
    /// </summary>
    /// <returns><see langword="null"/> before any write if the user is disabled or lacks a row.</returns>
    [Alias("StartAsync")]
    Task<SignInSession?> StartAsync(SessionStart start);

    /// <summary>The live session of a cookie, or <see langword="null"/>. Extends its expiry, with at most one write a day.</summary>
    /// <param name="tokenHash">SHA-256 of the cookie's secret, 32 bytes.</param>
    /// <param name="address">The client's address, for the list of sign-ins.</param>
    [Alias("AuthenticateAsync")]
    Task<SignInSession?> AuthenticateAsync(byte[] tokenHash, string? address);

    /// <summary>Whether a session (a token's <c>sid</c>) is live. Ended and expired sessions are not.</summary>
    [Alias("IsLiveAsync")]
    Task<bool> IsLiveAsync(Guid sessionId);

    /// <summary>The live sessions, latest use first.</summary>
    [Alias("ListAsync")]
    Task<SignInSession[]> ListAsync();

    /// <summary>Ends a session. When the call returns, all front ends refuse its cookie and tokens.</summary>
    /// <returns><see langword="false"/> if this user has no such session.</returns>
    [Alias("EndAsync")]
    Task<bool> EndAsync(Guid sessionId);

    /// <summary>Ends all sessions of the user.</summary>
    [Alias("EndAllAsync")]
    Task EndAllAsync();

    /// <summary>Ends the sessions of an unlinked account, and the sessions whose account is unknown.</summary>
    /// <param name="account">See <see cref="SessionStart.Account"/>.</param>
    /// <param name="except">The session that requested the unlink. It stays live if its account is unknown. <see langword="null"/> for
    /// none.</param>
    [Alias("EndOfAccountAsync")]
    Task EndOfAccountAsync(string account, Guid? except);
}
