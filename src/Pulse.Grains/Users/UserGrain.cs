using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Utilities;
using Pulse.Grains.Identity;
using Pulse.Grains.Presence;
using Pulse.Grains.Presence.Watching;
using Pulse.Identity;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Grains.Users;

/// <summary>One user: their row, their leases, their lastSeen, and the front ends that watch them. Key: the user id.</summary>
/// <remarks>
/// Reads the row when something first needs it, so that connecting needs no database. Writes the row on a profile change, lastSeen when
/// the last lease ends. Not reentrant: between two awaits nothing else of this user happens.
/// </remarks>
internal sealed partial class UserGrain : Grain, IUserGrain
{
    // A front end asks again every 20 s: one that is gone is forgotten after three silences.
    private static readonly TimeSpan WatchLifetime = TimeSpan.FromSeconds(60);

    private readonly IAccountStore _accounts;
    private readonly LastSeenWriter _lastSeenWriter;
    private readonly OnlineUsers _onlineUsers;
    private readonly Standstill _standstill;
    private readonly IPresenceIndex _index;
    private readonly WatchTable _watchTable;
    private readonly PresenceOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private readonly StoredUser _user;
    private readonly ConnectionLeases _leases;
    private readonly Visibility _visibility;
    private readonly SocketHolders _holders;
    private ObserverManager<IFrontEndObserver>? _watchers;

    private DateTimeOffset? _lastSeenAt;
    private bool _online;
    private bool _recalled;
    private bool _isUsed;
    private bool _isShown;

    public UserGrain(
        IGrainContext context, IUserStore store, IAccountStore accounts, LastSeenWriter lastSeenWriter, OnlineUsers onlineUsers,
        Standstill standstill, IPresenceIndex index, WatchTable watchTable, IOptions<PresenceOptions> options, TimeProvider time, ILogger<UserGrain> logger)
    {
        _watchTable = watchTable;
        (_accounts, _lastSeenWriter, _onlineUsers, _standstill, _index) = (accounts, lastSeenWriter, onlineUsers, standstill, index);
        (_options, _time, _logger) = (options.Value, time, logger);
        UserId = context.GrainId.GetGuidKey();
        _user = new(UserId, store, time);
        _leases = new(_options.LeaseDuration);
        _visibility = new(UserId);
        _holders = new(_leases, time, logger);
    }

    private Guid UserId { get; }

    // What may be told of a user who is here: nothing while they hide, and nothing on the word of a key alone.
    private DateTimeOffset? VisibleAt => _leases.IsHidden || _leases.SeenAt == default ? null : _leases.SeenAt;

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (!_online) return Task.CompletedTask;

        // The front ends' next renewals make the grain anew on another silo: still online, so the key stays as it is.
        _onlineUsers.Forget(UserId);

        // Unless nobody is left to renew them: the last connection is gone and nobody will see its grace period end, or its front end stops with this
        // process. The writer stops after the silo. Of somebody who goes on elsewhere this is saved from time to time anyway.
        var seenAt = _leases.Count == 0 || reason.ReasonCode == DeactivationReasonCode.ShuttingDown ? Later(_leases.GoneAt, VisibleAt) : null;
        if (seenAt is { } at) _lastSeenWriter.Queue([new(UserId, Instant.Truncate(at))]);
        return Task.CompletedTask;
    }

    public async Task<UserProfile?> GetProfileAsync() => await LoadAsync() is { } row ? row.ToProfile(_lastSeenAt) : null;

    public Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update) => WriteProfileAsync(update, account: null);

    public Task<ProfileSyncResult> CreateWithAccountAsync(ProfileUpdate update, ExternalAccount account) => WriteProfileAsync(update, account);

    public Task<ExternalAccount[]> ListAccountsAsync() => _accounts.ListAsync(UserId);

    public async Task<PresenceSnapshot> GetPresenceAsync()
    {
        await LearnAsync();
        return Show().Snapshot;
    }

    public async Task<PresenceSnapshot> ReadPresenceAsync(long knownVersion)
    {
        await LearnAsync(readRow: knownVersion == 0);
        // The first state that this activation shows was a change for nobody.
        if (_isShown) Publish();
        Show();
        _visibility.Ask(knownVersion, _time.GetUtcNow());

        // An activation that has done nothing but answer for an absent user is not worth its memory.
        if (!_isUsed && _recalled && !_leases.IsOnline && _watchers is not { Count: > 0 }) DeactivateOnIdle();
        return Show().Snapshot;
    }

    public async Task<PresenceSnapshot> WatchAsync(IFrontEndObserver frontEnd, long knownVersion)
    {
        (_watchers ??= new(WatchLifetime, _logger)).Subscribe(frontEnd, frontEnd);
        await LearnAsync();
        Show();
        _visibility.Ask(knownVersion, _time.GetUtcNow());
        return Show().Snapshot;
    }

    public Task UnwatchAsync(IFrontEndObserver frontEnd)
    {
        _watchers?.Unsubscribe(frontEnd);
        return Task.CompletedTask;
    }

    public async Task ConnectAsync(ConnectionLease lease, IFrontEndObserver frontEnd)
    {
        await RenewAsync([lease], frontEnd);
        if (_leases.Count > _options.MaxConnectionsPerUser) await _holders.CloseOldestAsync(_leases.Count - _options.MaxConnectionsPerUser);
    }

    public async Task RenewAsync(ConnectionLease[] leases, IFrontEndObserver frontEnd)
    {
        var now = _time.GetUtcNow();
        foreach (var lease in leases)
        {
            if (_leases.Renew(lease, now)) _holders.Add(lease.FrontEndId, frontEnd);
        }

        await SettleAsync();
        if (leases.Length > 0) await _holders.CloseEndedSessionsAsync(leases[0].FrontEndId);
    }

    public Task DisconnectAsync(ConnectionLease lease, ConnectionEnd how)
    {
        // Also for a connection that was never known here: the silo that knew it may have died.
        _leases.End(
            lease.ConnectionId, lease.SeenAt, _time.GetUtcNow(), how == ConnectionEnd.Dropped ? _options.OfflineGrace : TimeSpan.Zero,
            hid: lease.Status == PresenceStatus.Invisible);
        return SettleAsync();
    }

    public Task CloseSessionsAsync(Guid[] sessionIds)
    {
        _isUsed = true;
        // Remembered for those whose token was checked just before, and for front ends that could not be told: their next renewal closes them.
        _holders.Remember(sessionIds, _time.GetUtcNow() + _options.LeaseDuration);
        return _holders.CloseEndedSessionsAsync();
    }

    public Task ExpireLeasesAsync()
    {
        if (!_standstill.HasHeardAll) return Task.CompletedTask; // Asked again by the next sweep.
        _leases.Expire(_time.GetUtcNow());
        return SettleAsync();
    }

    /// <summary>Brings key, lastSeen and watchers in line with the leases.</summary>
    private async Task SettleAsync()
    {
        _isUsed = true;
        // A connection that comes asks the same question as it sets the key.
        if (_leases.Count == 0) await RecallAsync();
        var wasOnline = _online;
        _online = _leases.IsOnline;
        if (_online && !wasOnline)
        {
            await SetKeyAsync();
        }
        else if (_online)
        {
            _onlineUsers.Extend(UserId, _leases.NextDeadline, VisibleAt);
        }
        else
        {
            _holders.Clear();
        }

        var hasGone = (!_online || _leases.IsHidden) && MoveLastSeen(_leases.GoneAt);
        Publish();

        // Watchers first: they need not wait for Redis and the database.
        if (!_online) await Task.WhenAll(_onlineUsers.RemoveAsync(UserId), SaveLastSeenAsync());
        else if (hasGone) await SaveLastSeenAsync(); // Hidden: as if they had left.
        // Others may yet be renewed; should none be, this was the last, and whoever closed it has an answer.
        else if (_leases is { Count: 0, IsAssumed: true, GoneAt: { } goneAt }) await SaveLastSeenAsync(goneAt);
    }

    private Task SaveLastSeenAsync() => _lastSeenAt is { } at ? SaveLastSeenAsync(at) : Task.CompletedTask;

    private async Task SaveLastSeenAsync(DateTimeOffset at)
    {
        try
        {
            await _lastSeenWriter.SaveAsync(new(UserId, Instant.Truncate(at)));
        }
        catch (StoreUnavailableException)
        {
            // The writer keeps the value and has said so in the log.
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
        var (status, message) = _online ? DeviceStatus.Merge(_leases.Shown, now, _options.AwayAfter) : (PresenceStatus.Offline, null);
        return _visibility.Show(status, message, _lastSeenAt, provisional: _leases.Count == 0 && (_leases.IsAssumed || !_recalled), now);
    }

    /// <summary>Fills in what an activation does not know of itself: lastSeen, and whether its user is connected.</summary>
    private async Task LearnAsync(bool readRow = true)
    {
        try
        {
            if (readRow) await LoadAsync();
        }
        catch (StoreUnavailableException)
        {
            // Presence goes on without the database; lastSeen is told once it is back.
        }

        await RecallAsync();
        if (_online || !_leases.IsOnline) return;
        _online = true;
        await SetKeyAsync();
    }

    private async Task SetKeyAsync()
    {
        var wasThere = await _onlineUsers.AddAsync(UserId, _leases.NextDeadline, VisibleAt);
        if (_recalled) return;
        _recalled = true;
        if (!wasThere) return;
        _leases.Assume(_time.GetUtcNow(), _options.RecallPatience);
        _onlineUsers.Extend(UserId, _leases.NextDeadline, VisibleAt);
    }

    /// <summary>
    /// Before anything else is made of what a new activation hears: another silo may have died with leases of this user, whose renewals are under way.
    /// Until they must have come, the key that it left speaks for them; one connection that closes meanwhile need not be the last.
    /// </summary>
    private async Task RecallAsync()
    {
        if (_recalled) return;
        try
        {
            if (await _index.IsOnlineAsync(UserId)) _leases.Assume(_time.GetUtcNow(), _options.RecallPatience);
            else if (!_standstill.HasHeardAll) return; // Nobody may have been there to keep the key.
        }
        catch (PresenceIndexUnavailableException)
        {
            // Asked again next time. Until then an absence is a guess, and whoever knows better keeps that.
            return;
        }

        _recalled = true;
    }

    private async Task<ProfileSyncResult> WriteProfileAsync(ProfileUpdate update, ExternalAccount? account)
    {
        var (outcome, row) = await _user.WriteAsync(update, account, _lastSeenAt);
        MoveLastSeen(row?.LastSeenAt);
        return new(outcome, row?.ToProfile(_lastSeenAt));
    }

    private async ValueTask<UserRow?> LoadAsync()
    {
        var row = await _user.LoadAsync();
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
