using Pulse.Accounts;
using Pulse.Presence;

namespace Pulse.Users;

/// <summary>One person: their profile, the connections they hold now, and when they were last seen. The key is the user id.</summary>
/// <remarks>
/// The only writer of that user's <c>users</c> row and <c>user:{id}:online</c> key. Every method may be repeated: after a timeout the outcome
/// is unknown, and calling again does no harm. Methods that need the database throw <see cref="StoreUnavailableException"/> while it is away;
/// those about connections do not need it.
/// </remarks>
[Alias("pulse.IUserGrain")]
public interface IUserGrain : IGrainWithGuidKey
{
    /// <summary>The stored profile, or <see langword="null"/> when this user has no row yet.</summary>
    [Alias("GetProfileAsync")]
    Task<UserProfile?> GetProfileAsync();

    /// <summary>Whether the user may use Pulse, as the database had it at most 5 seconds ago.</summary>
    [Alias("GetStateAsync")]
    Task<UserState> GetStateAsync();

    /// <summary>
    /// Erases the user. Once this returns, everything that is stored about the user is deleted, the presence key too, and the sockets are being closed.
    /// </summary>
    /// <returns><see langword="false"/>, and nothing is done, when there is no such user; <see langword="true"/> also for one who is erased already.</returns>
    [Alias("EraseAsync")]
    Task<bool> EraseAsync();

    /// <summary>Disables the user, whose sockets are then closed, or enables the user again.</summary>
    /// <returns><see langword="false"/>, and nothing is done, when there is no such user.</returns>
    [Alias("SetDisabledAsync")]
    Task<bool> SetDisabledAsync(bool disabled);

    /// <summary>The live connections, oldest first.</summary>
    [Alias("ListConnectionsAsync")]
    Task<ConnectionLease[]> ListConnectionsAsync();

    /// <summary>Has one socket closed.</summary>
    /// <returns><see langword="false"/> when the user has no such connection.</returns>
    [Alias("CloseConnectionAsync")]
    Task<bool> CloseConnectionAsync(string connectionId);

    /// <summary>Creates the user, or brings the stored profile in line with <paramref name="update"/>. Writes nothing when nothing differs.</summary>
    [Alias("SyncProfileAsync")]
    Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update);

    /// <summary>Creates this user together with the external account that it is signed in with: both rows or neither.</summary>
    /// <returns><see cref="ProfileSyncOutcome.AccountTaken"/> when that account has come to belong to another user meanwhile.</returns>
    [Alias("CreateWithAccountAsync")]
    Task<ProfileSyncResult> CreateWithAccountAsync(ProfileUpdate update, ExternalAccount account);

    /// <summary>The external accounts that this user can sign in with, oldest first.</summary>
    [Alias("ListAccountsAsync")]
    Task<ExternalAccount[]> ListAccountsAsync();

    /// <summary>Links an account to this user, who is signed in and asked for it, if their accounts are still those that they were asked about.</summary>
    /// <param name="account">The account.</param>
    /// <param name="known">The <see cref="LinkedAccounts.Mark"/> of the accounts when the link was begun.</param>
    /// <param name="proofId">Id of the proof that the owner began it. A proof is used once.</param>
    [Alias("LinkAccountAsync")]
    Task<AccountLinkOutcome> LinkAccountAsync(ExternalAccount account, string known, string proofId);

    /// <summary>What others may see of this user's presence.</summary>
    [Alias("GetPresenceAsync")]
    Task<PresenceSnapshot> GetPresenceAsync();

    /// <summary>As <see cref="GetPresenceAsync"/>, with a version that fits what the caller knows.</summary>
    /// <param name="knownVersion">
    /// The latest version that the caller has seen, and 0 for none. The answer's is no lower, and higher if the state may be another. A caller that knows a
    /// version also knows a lastSeen and keeps the later of the two, because this method does not read the user's row for it.
    /// </param>
    [Alias("ReadPresenceAsync")]
    Task<PresenceSnapshot> ReadPresenceAsync(long knownVersion);

    /// <summary>Tells the front end of every change from now on, and what the presence is now. To be repeated within a minute, or it lapses.</summary>
    /// <param name="frontEnd">Whom to tell.</param>
    /// <param name="knownVersion">The latest version that the front end has seen; 0 for none. The answer's is no lower.</param>
    [Alias("WatchAsync")]
    Task<PresenceSnapshot> WatchAsync([Immutable] IFrontEndObserver frontEnd, long knownVersion);

    /// <summary>No socket of that front end watches this user any more.</summary>
    [Alias("UnwatchAsync")]
    Task UnwatchAsync([Immutable] IFrontEndObserver frontEnd);

    /// <summary>Takes a lease for a new connection. The user is online, and the Redis key set if Redis answers, once this returns.</summary>
    /// <exception cref="UserRefusedException">The user is disabled or erased.</exception>
    /// <param name="lease">The connection.</param>
    /// <param name="frontEnd">Who holds it, to be asked to close it.</param>
    [Alias("ConnectAsync")]
    Task ConnectAsync(ConnectionLease lease, [Immutable] IFrontEndObserver frontEnd);

    /// <summary>
    /// Extends the leases of connections that one front end holds, with their present status; one that is unknown here is taken anew (the silo may
    /// have crashed).
    /// </summary>
    [Alias("RenewAsync")]
    Task RenewAsync([Immutable] ConnectionLease[] leases, [Immutable] IFrontEndObserver frontEnd);

    /// <summary>Ends a connection for good: a late <see cref="ConnectAsync"/> or <see cref="RenewAsync"/> for it has no effect.</summary>
    /// <returns>
    /// After the last one that is known, once lastSeen is committed or, with the database away, queued; for a dropped one that is after the grace period.
    /// </returns>
    [Alias("DisconnectAsync")]
    Task DisconnectAsync(ConnectionLease lease, ConnectionEnd how);

    /// <summary>Has the sockets of ended sign-in sessions closed, wherever they are, and those that are just being opened.</summary>
    [Alias("CloseSessionsAsync")]
    Task CloseSessionsAsync([Immutable] Guid[] sessionIds);

    /// <summary>Ends the leases that ran out. Called by the silo's own sweep for users whose front end fell silent.</summary>
    [Alias("ExpireLeasesAsync")]
    Task ExpireLeasesAsync();
}
