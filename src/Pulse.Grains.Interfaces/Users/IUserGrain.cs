using Pulse.Accounts;
using Pulse.Presence;

namespace Pulse.Users;

/// <summary>One person: the profile, the present connections, and lastSeen. The key is the user id.</summary>
/// <remarks>
/// The only writer of that user's <c>users</c> row and <c>user:{id}:online</c> key. Every method is safe to repeat after a timeout, when
/// the outcome is unknown. Methods that need the database throw <see cref="StoreUnavailableException"/> while it is unavailable. Methods
/// about connections work without it.
/// </remarks>
[Alias("pulse.IUserGrain")]
public interface IUserGrain : IGrainWithGuidKey
{
    /// <summary>The stored profile, or <see langword="null"/> if the user has no row yet.</summary>
    [Alias("GetProfileAsync")]
    Task<UserProfile?> GetProfileAsync();

    /// <summary>Whether the user may use Pulse. The answer is at most 5 seconds old.</summary>
    [Alias("GetStateAsync")]
    Task<UserState> GetStateAsync();

    /// <summary>
    /// Erases the user. When the call returns, all stored data of the user is deleted, including the presence key, and the sockets are
    /// being closed.
    /// </summary>
    /// <returns><see langword="false"/>, without any change, if the user is unknown. <see langword="true"/> also for an already erased
    /// user.</returns>
    [Alias("EraseAsync")]
    Task<bool> EraseAsync();

    /// <summary>Disables the user and closes the user's sockets, or enables the user again.</summary>
    /// <returns><see langword="false"/>, without any change, if the user is unknown.</returns>
    [Alias("SetDisabledAsync")]
    Task<bool> SetDisabledAsync(bool disabled);

    /// <summary>The live connections, oldest first.</summary>
    [Alias("ListConnectionsAsync")]
    Task<ConnectionLease[]> ListConnectionsAsync();

    /// <summary>Closes one socket.</summary>
    /// <returns><see langword="false"/> if the user has no such connection.</returns>
    [Alias("CloseConnectionAsync")]
    Task<bool> CloseConnectionAsync(string connectionId);

    /// <summary>Creates the user, or applies <paramref name="update"/> to the stored profile. Writes only differences.</summary>
    [Alias("SyncProfileAsync")]
    Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update);

    /// <summary>Creates this user together with the external account of the sign-in, in one transaction.</summary>
    /// <returns><see cref="ProfileSyncOutcome.AccountTaken"/> if that account belongs to another user by now.</returns>
    [Alias("CreateWithAccountAsync")]
    Task<ProfileSyncResult> CreateWithAccountAsync(ProfileUpdate update, ExternalAccount account);

    /// <summary>The external accounts with which this user can sign in, oldest first.</summary>
    [Alias("ListAccountsAsync")]
    Task<ExternalAccount[]> ListAccountsAsync();

    /// <summary>The accounts that the user has unlinked and that therefore do not join by themselves, oldest first. Their time is that of
    /// the unlink.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    [Alias("ListUnlinkedAccountsAsync")]
    Task<ExternalAccount[]> ListUnlinkedAccountsAsync();

    /// <summary>Links an account at the request of the signed-in user, if the user's accounts are unchanged since the request.</summary>
    /// <param name="account">The account.</param>
    /// <param name="known">The <see cref="LinkedAccounts.Mark"/> of the accounts when the link was begun.</param>
    /// <param name="proofId">Id of the proof that the owner began the link. A proof is used once.</param>
    [Alias("LinkAccountAsync")]
    Task<AccountLinkOutcome> LinkAccountAsync(ExternalAccount account, string known, string proofId);

    /// <summary>This user's presence as other users see it.</summary>
    [Alias("GetPresenceAsync")]
    Task<PresenceSnapshot> GetPresenceAsync();

    /// <summary>As <see cref="GetPresenceAsync"/>, with a version that matches the caller's knowledge.</summary>
    /// <param name="knownVersion">
    /// The latest version that the caller has seen, and 0 for none. The answer's version is at least as high, and higher if the state may
    /// differ. A caller with a known version also knows a lastSeen and keeps the later of the two, because this method does not read the
    /// user's row for it.
    /// </param>
    [Alias("ReadPresenceAsync")]
    Task<PresenceSnapshot> ReadPresenceAsync(long knownVersion);

    /// <summary>
    /// Notifies the front end of every change from now on, and returns the present state. The watch expires unless the call is repeated
    /// within a minute.
    /// </summary>
    /// <param name="frontEnd">The receiver of changes.</param>
    /// <param name="knownVersion">The latest version that the front end has seen, and 0 for none. The answer's is at least as high.</param>
    [Alias("WatchAsync")]
    Task<PresenceSnapshot> WatchAsync([Immutable] IFrontEndObserver frontEnd, long knownVersion);

    /// <summary>The last socket of that front end has stopped watching this user.</summary>
    [Alias("UnwatchAsync")]
    Task UnwatchAsync([Immutable] IFrontEndObserver frontEnd);

    /// <summary>
    /// Takes a lease for a new connection. When the call returns, the user is online, and the Redis key is set if Redis answers.
    /// </summary>
    /// <exception cref="UserRefusedException">The user is disabled or erased.</exception>
    /// <param name="lease">The connection.</param>
    /// <param name="frontEnd">The front end that holds it, so that the grain can have it closed.</param>
    [Alias("ConnectAsync")]
    Task ConnectAsync(ConnectionLease lease, [Immutable] IFrontEndObserver frontEnd);

    /// <summary>
    /// Extends the leases of connections of one front end, with their present status. A connection that is unknown here is added, because
    /// the silo may have crashed.
    /// </summary>
    [Alias("RenewAsync")]
    Task RenewAsync([Immutable] ConnectionLease[] leases, [Immutable] IFrontEndObserver frontEnd);

    /// <summary>
    /// Ends a connection permanently: a late <see cref="ConnectAsync"/> or <see cref="RenewAsync"/> for it has no effect.
    /// </summary>
    /// <returns>For the last known connection, completes once lastSeen is committed, or queued while the database is unavailable. For a
    /// dropped connection this happens after the grace period.</returns>
    [Alias("DisconnectAsync")]
    Task DisconnectAsync(ConnectionLease lease, ConnectionEnd how);

    /// <summary>Closes the sockets of ended sign-in sessions on all front ends, including sockets that are just being opened.</summary>
    [Alias("CloseSessionsAsync")]
    Task CloseSessionsAsync([Immutable] Guid[] sessionIds);

    /// <summary>Ends expired leases. Called by the silo's own sweep for users whose front end stopped renewing.</summary>
    [Alias("ExpireLeasesAsync")]
    Task ExpireLeasesAsync();
}
