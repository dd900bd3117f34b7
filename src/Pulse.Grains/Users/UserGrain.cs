using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Utilities;
using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Presence;
using Pulse.Grains.Presence.Watching;
using Pulse.Grains.Storage;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Grains.Users;

/// <summary>One user: the row, the leases, lastSeen, and the front ends that watch the user. Key: the user id.</summary>
/// <remarks>
/// The grain reads the row on first need, so that connecting is possible without the database. It writes the row on a profile change, and
/// lastSeen when the last lease ends. Calls about this user are queued across its awaits, because the grain lacks reentrancy.
/// </remarks>
[GrainType("user")]
internal sealed partial class UserGrain : Grain, IUserGrain
{
    // Any client can request any id, so an empty grain is deactivated soon. A short delay is needed: of many calls that arrive together,
    // Orleans would forward the last ones too often and reject them.
    private static readonly TimeSpan s_emptyLifetime = TimeSpan.FromSeconds(5);

    private readonly IAccountStore _accounts;
    private readonly LastSeenWriter _lastSeenWriter;
    private readonly PresenceKeys _keys;
    private readonly SiloPauseGuard _pause;
    private readonly PresenceMetrics _metrics;
    private readonly WatchTable _watchTable;
    private readonly PresenceOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private readonly StoredUser _user;
    private readonly ConnectionLeases _leases;
    private readonly PredecessorCheck _predecessor;
    private readonly PublishedPresence _published;
    private readonly ConnectionRevoker _revoker;
    private readonly HashSet<string> _usedProofs = [];
    private ObserverManager<IFrontEndObserver>? _watchers;
    private IGrainTimer? _deactivation;

    private DateTimeOffset? _lastSeenAt;
    private DateTimeOffset? _wentOfflineAt;
    private bool _online;
    private bool _isUsed;
    private bool _isShown;

    public UserGrain(
        IGrainContext context, IUserStore store, IAccountStore accounts, LastSeenWriter lastSeenWriter, PresenceKeys keys, SiloPauseGuard pause,
        IPresenceIndex index, WatchTable watchTable, PresenceMetrics metrics, IOptions<PresenceOptions> options, TimeProvider time,
        ILogger<UserGrain> logger)
    {
        (_accounts, _lastSeenWriter, _keys, _pause) = (accounts, lastSeenWriter, keys, pause);
        (_watchTable, _metrics) = (watchTable, metrics);
        (_options, _time, _logger) = (options.Value, time, logger);
        UserId = context.GrainId.GetGuidKey();
        _user = new(UserId, store, time);
        _leases = new(_options.LeaseDuration);
        _predecessor = new(UserId, index, _leases, pause, _options, time);
        _published = new(UserId);
        _revoker = new(_leases, time, logger);
    }

    private Guid UserId { get; }

    // lastSeen of a connected user as other users may see it. Null while the user is invisible and until a front end has renewed a lease
    // here.
    private DateTimeOffset? VisibleSeenAt => _leases.IsInvisible || _leases.SeenAt == default ? null : _leases.SeenAt;

    private PresenceKeys.OnlineState OnlineState => new(_leases.NextDeadline, VisibleSeenAt, _leases.IsInvisible);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (!_online) return Task.CompletedTask;

        // The front ends' next renewals activate the grain on another silo. The user is still online, so the Redis keys stay unchanged.
        _keys.Release(UserId);

        // Save lastSeen now if the renewals are over: the last connection has ended and this activation ends before its grace period, or the
        // front end stops with this process. The writer stops after the silo. The value of a user who stays connected
        // elsewhere is saved from time to time anyway.
        var seenAt = _leases.Count == 0 || reason.ReasonCode == DeactivationReasonCode.ShuttingDown ? Later(_leases.LastSeenAt, VisibleSeenAt) : null;
        if (seenAt is { } at) _lastSeenWriter.Queue([new(UserId, Instant.Truncate(at))]);
        return Task.CompletedTask;
    }

    public async Task<UserProfile?> GetProfileAsync()
    {
        var row = await LoadFreshAsync();
        if (row is null) DeactivateSoonIfEmpty();
        return row?.ToProfile(_lastSeenAt);
    }

    public async Task<UserState> GetStateAsync()
    {
        await LoadFreshAsync();
        if (!_user.IsLoaded) DeactivateSoonIfEmpty();
        return _user.State;
    }

    public Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update) => WriteProfileAsync(update, account: null);

    public Task<ProfileSyncResult> CreateWithAccountAsync(ProfileUpdate update, ExternalAccount account) => WriteProfileAsync(update, account);

    public Task<ExternalAccount[]> ListAccountsAsync() => _accounts.ListAsync(UserId);

    public Task<ExternalAccount[]> ListUnlinkedAccountsAsync() => _accounts.ListDeclinedAsync(UserId);

    public async Task<AccountLinkOutcome> LinkAccountAsync(ExternalAccount account, string known, string proofId)
    {
        // Turns of this user are serial, so another link must wait. After a crash a second activation could link for a moment, and
        // then both links are the owner's own wish.
        if (LinkedAccounts.Mark(await _accounts.ListAsync(UserId)) != known) return AccountLinkOutcome.OutOfDate;

        // After an unlink the account list equals the list from before the link. Proofs expire within minutes, so this set may be lost soon
        // after the activation ends.
        if (!_usedProofs.Add(proofId)) return AccountLinkOutcome.OutOfDate;
        return await _accounts.LinkAsync(account, UserId, _time.GetUtcNow()) == UserId ? AccountLinkOutcome.Linked : AccountLinkOutcome.TakenByAnother;
    }

    public async Task<bool> EraseAsync()
    {
        if (!await _user.EraseAsync(await _accounts.ListAsync(UserId))) return false;
        await RemoveConnectionsAsync();
        return true;
    }

    public async Task<bool> SetDisabledAsync(bool disabled)
    {
        if (!await _user.SetDisabledAsync(disabled)) return false;
        if (disabled) await RemoveConnectionsAsync();
        return true;
    }

    public Task<ConnectionLease[]> ListConnectionsAsync() => Task.FromResult(_leases.Live.OrderBy(lease => lease.ConnectedAt).ToArray());

    public async Task<bool> CloseConnectionAsync(string connectionId)
    {
        if (_leases.Find(connectionId) is not { } lease) return false;
        await _revoker.CloseAsync([lease], CloseReason.ClosedByOperator);
        return true;
    }

    public async Task<PresenceSnapshot> GetPresenceAsync()
    {
        await EnsureInitializedAsync();
        if (!_online) DeactivateSoonIfEmpty();
        return Show().Snapshot;
    }

    public async Task<PresenceSnapshot> ReadPresenceAsync(long knownVersion)
    {
        await EnsureInitializedAsync(readRow: knownVersion == 0);
        // The first state of this activation lacks a predecessor, so it is no change to publish.
        if (_isShown) Publish();
        Show();
        _published.AdvancePast(knownVersion, _time.GetUtcNow());

        // An activation that has only answered for an offline user is not worth its memory.
        if (!_isUsed && _predecessor.IsDone && !_leases.IsOnline && _watchers is not { Count: > 0 }) DeactivateOnIdle();
        return Show().Snapshot;
    }

    public async Task<PresenceSnapshot> WatchAsync(IFrontEndObserver frontEnd, long knownVersion)
    {
        _watchers ??= new(LeaseTimes.WatchLifetime(_options.TimeToLive), _logger) { GetDateTime = () => _time.GetUtcNow().UtcDateTime };
        _watchers.Subscribe(frontEnd, frontEnd);
        await EnsureInitializedAsync();
        Show();
        _published.AdvancePast(knownVersion, _time.GetUtcNow());
        return Show().Snapshot;
    }

    public Task UnwatchAsync(IFrontEndObserver frontEnd)
    {
        _watchers?.Unsubscribe(frontEnd);
        return Task.CompletedTask;
    }

    public async Task ConnectAsync(ConnectionLease lease, IFrontEndObserver frontEnd)
    {
        await CheckMayConnectAsync(lease);
        var replaced = lease.PreviousConnectionId is { } previous ? _leases.Find(previous) : null;
        await RenewAsync([lease], frontEnd);

        // Fire and forget: the front end of the replaced connection may have died, and the reconnecting client would wait for it.
        if (replaced is not null) _ = _revoker.CloseReplacedAsync(replaced);
        if (_leases.Count > _options.MaxConnectionsPerUser) await _revoker.CloseOldestAsync(_leases.Count - _options.MaxConnectionsPerUser);
    }

    public async Task RenewAsync(ConnectionLease[] leases, IFrontEndObserver frontEnd)
    {
        if (_user.State is UserState.Disabled or UserState.Erased)
        {
            // The front end has missed the request to close these connections, or has yet to do it.
            await frontEnd.CloseConnectionsAsync([.. leases.Select(lease => lease.ConnectionId)], CloseReason.UserRemoved);
            return;
        }

        var now = _time.GetUtcNow();
        var gracesUsed = _leases.GracePeriodsUsed;
        foreach (var lease in leases)
        {
            if (_leases.SinceRenewal(lease.ConnectionId, now) > LeaseTimes.RenewalInterval(_options.TimeToLive) * 1.5) _metrics.LateRenewal();
            if (_leases.Renew(lease, now)) _revoker.Add(lease.FrontEndId, frontEnd);
        }

        _metrics.GracePeriodsUsed(_leases.GracePeriodsUsed - gracesUsed);
        await ApplyLeasesAsync(waitForCommit: true);
        if (leases.Length > 0) await _revoker.CloseEndedSessionsAsync(leases[0].FrontEndId);
    }

    public async Task DisconnectAsync(ConnectionLease lease, ConnectionEnd how)
    {
        // Check before the end is applied, because the end moves lastSeen only if the user was visible.
        await _predecessor.AskAsync();

        // Applied also to a connection that is unknown here, because the silo that knew it may have died.
        _leases.End(
            lease.ConnectionId, lease.SeenAt, _time.GetUtcNow(), how == ConnectionEnd.Dropped ? _options.OfflineGrace : TimeSpan.Zero,
            wasInvisible: lease.Status == PresenceStatus.Invisible);
        await ApplyLeasesAsync(waitForCommit: true);
    }

    public Task CloseSessionsAsync(Guid[] sessionIds)
    {
        _isUsed = true;
        // Remembered for clients whose token was checked just before, and for front ends that could not be notified. Their next renewal
        // closes the sockets.
        _revoker.RevokeSessions(sessionIds, _time.GetUtcNow() + _options.LeaseDuration);
        return _revoker.CloseEndedSessionsAsync();
    }

    public async Task ExpireLeasesAsync()
    {
        if (!_pause.MayExpireLeases) return; // Asked again by the next round.
        _metrics.LeasesExpired(_leases.Expire(_time.GetUtcNow()));

        // No caller waits for the commit, because the database may be unavailable and thousands of users may go offline at once.
        await ApplyLeasesAsync(waitForCommit: false);
    }

    /// <summary>Refuses a connection of a disabled or erased user.</summary>
    /// <remarks>
    /// The token of a session was checked with the session's row. For any other token the user's row is read, once per activation.
    /// </remarks>
    private async Task CheckMayConnectAsync(ConnectionLease lease)
    {
        try
        {
            if (lease.SessionId is null) await LoadAsync();
        }
        catch (StoreUnavailableException)
        {
            // Presence works while the database is unavailable.
        }

        var ofTrustedIssuer = lease is { SessionId: null, TokenIssuedAt: not null };
        if (_user.FindRefusal(ofTrustedIssuer, lease.TokenIssuedAt) is { } refusal) throw new UserRefusedException(refusal);
    }

    /// <summary>Removes all connections, publishes the user as offline, and closes the sockets.</summary>
    private async Task RemoveConnectionsAsync()
    {
        await _predecessor.AskAsync();
        var closing = _revoker.CloseAsync(_leases.Live.ToList(), CloseReason.UserRemoved);
        _leases.EndAll(_time.GetUtcNow());
        await ApplyLeasesAsync(waitForCommit: false);
        await closing;
    }

    /// <summary>Updates keys, lastSeen and watchers to match the leases.</summary>
    private async Task ApplyLeasesAsync(bool waitForCommit)
    {
        _isUsed = true;
        // For a new connection, SET … GET already reports whether an earlier activation left a key.
        if (_leases.Count == 0 || _online) await _predecessor.AskAsync();
        var wasOnline = _online;
        _online = _leases.IsOnline;
        var keysAgree = Task.CompletedTask;
        if (_online && !wasOnline) await SetKeyAsync();
        else if (_online) keysAgree = _keys.TouchAsync(UserId, OnlineState);
        else _revoker.Clear();

        if (_online != wasOnline) CountFlaps();
        var lastSeenMoved = (!_online || _leases.IsInvisible) && MoveLastSeen(_leases.LastSeenAt);
        Publish();

        // Watchers are notified first, because they need not wait for Redis and the database.
        await keysAgree;
        if (!_online) await Task.WhenAll(_keys.SetOfflineAsync(UserId), SaveLastSeenAsync(_lastSeenAt, waitForCommit));
        else if (lastSeenMoved) await SaveLastSeenAsync(_lastSeenAt, waitForCommit); // Invisible: as if the user had left.
        // The last connection is in its grace period, or others may still be renewed. Its front end waits for the commit, because no
        // process remembers lastSeen if this silo dies.
        else if (_leases is { Count: 0, IsInvisible: false }) await SaveLastSeenAsync(_leases.LastSeenAt, waitForCommit);
    }

    private async Task SaveLastSeenAsync(DateTimeOffset? at, bool waitForCommit)
    {
        if (at is null) return;
        var seen = new LastSeen(UserId, Instant.Truncate(at.Value));
        if (!waitForCommit)
        {
            _lastSeenWriter.Queue([seen]);
            return;
        }

        try
        {
            await _lastSeenWriter.SaveAsync(seen);
        }
        catch (StoreUnavailableException)
        {
            // The writer keeps the value and has logged the failure.
        }
    }

    private void Publish()
    {
        if (_watchers is not { Count: > 0 } && !_watchTable.IsWatched(UserId)) return;
        var (snapshot, changed) = Show();
        if (!changed) return;
        _watchers?.Notify(frontEnd => frontEnd.PresenceChanged(snapshot));
        _watchTable.Publish(snapshot);
    }

    private (PresenceSnapshot Snapshot, bool Changed) Show()
    {
        _isShown = true;
        var now = _time.GetUtcNow();
        var (status, message) = !_online ? (PresenceStatus.Offline, null)
            : _leases.IsInvisible ? (PresenceStatus.Invisible, null)
            : DeviceStatus.Merge(_leases.Shown, now, _options.AwayAfter);
        var unsure = _predecessor.IsUnsure(now);
        return _published.Update(status, message, _user.IsErased ? null : _lastSeenAt, concealed: unsure, provisional: unsure || (_leases.Count == 0 && _leases.IsAssumed), now);
    }

    /// <summary>Reads lastSeen and the online state, which a new activation lacks.</summary>
    private async Task EnsureInitializedAsync(bool readRow = true)
    {
        try
        {
            if (readRow) await LoadAsync();
        }
        catch (StoreUnavailableException)
        {
            // Presence works while the database is unavailable. lastSeen is shown once the database is available again.
        }

        await _predecessor.AskAsync();
        if (_online || !_leases.IsOnline) return;
        _online = true;
        await SetKeyAsync();
    }

    private async Task SetKeyAsync()
    {
        var wasThere = await _keys.SetOnlineAsync(UserId, OnlineState);
        if (_predecessor.IsDone) return;
        await _predecessor.TakeAsync(wasThere);
        await _keys.TouchAsync(UserId, OnlineState);
    }

    private void CountFlaps()
    {
        var now = _time.GetUtcNow();
        if (!_online) _wentOfflineAt = now;
        else if (_wentOfflineAt is { } at && now - at < TimeSpan.FromMinutes(1)) _metrics.Flap();
    }

    private void DeactivateSoonIfEmpty()
    {
        if (IsEmpty) _deactivation ??= this.RegisterGrainTimer(DeactivateIfEmptyAsync, new(s_emptyLifetime, s_emptyLifetime));
    }

    private Task DeactivateIfEmptyAsync()
    {
        if (IsEmpty) DeactivateOnIdle();
        _deactivation?.Dispose();
        _deactivation = null;
        return Task.CompletedTask;
    }

    private bool IsEmpty => !_online && _leases.IsEmpty && _revoker.IsEmpty && !_user.IsLoaded && _lastSeenAt is null && _watchers is not { Count: > 0 };

    private async Task<ProfileSyncResult> WriteProfileAsync(ProfileUpdate update, ExternalAccount? account)
    {
        var (outcome, row, formerEmail) = await _user.WriteAsync(update, account, _lastSeenAt);
        MoveLastSeen(row?.LastSeenAt);
        return new(outcome, row?.ToProfile(_lastSeenAt), formerEmail);
    }

    private async ValueTask<UserRow?> LoadAsync()
    {
        var row = await _user.LoadAsync();
        MoveLastSeen(row?.LastSeenAt);
        return row;
    }

    private async ValueTask<UserRow?> LoadFreshAsync()
    {
        var row = await _user.LoadFreshAsync();
        MoveLastSeen(row?.LastSeenAt);
        return row;
    }

    private bool MoveLastSeen(DateTimeOffset? at)
    {
        if (at is null || Instant.Truncate(at.Value) is var moved && moved <= _lastSeenAt) return false;
        _lastSeenAt = moved;
        return true;
    }

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => other is null || one > other ? one : other;
}
