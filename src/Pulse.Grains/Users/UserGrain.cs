using Microsoft.Extensions.Options;
using Pulse.Grains.Identity;
using Pulse.Grains.Presence;
using Pulse.Identity;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Grains.Users;

/// <summary>One user: their row, their leases, their lastSeen. Key: the user id.</summary>
/// <remarks>
/// Reads the row when something first needs it, so that connecting needs no database. Writes the row on a profile change, lastSeen when
/// the last lease ends. Not reentrant: between two awaits nothing else of this user happens.
/// </remarks>
internal sealed class UserGrain(
    IUserStore store, IAccountStore accounts, LastSeenWriter lastSeen, OnlineUsers onlineUsers, IOptions<PresenceOptions> presence, TimeProvider time)
    : Grain, IUserGrain
{
    // A second activation of this user can win a race for the row once; that it keeps winning is not plausible.
    private const int WriteAttempts = 3;

    private readonly ConnectionLeases _leases = new(presence.Value.LeaseDuration);
    private UserRow? _row;
    private DateTimeOffset? _lastSeenAt;

    // The latest end or sign of life of a connection that is gone: lastSeen once no other is left, and nothing before that.
    private DateTimeOffset _goneAt;
    private bool _online;

    private Guid UserId => this.GetPrimaryKey();

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // The front ends' next renewals make the grain anew on another silo: still online, so key and lastSeen stay as they are.
        if (_online) onlineUsers.Forget(UserId);
        return Task.CompletedTask;
    }

    public async Task<UserProfile?> GetProfileAsync() => await LoadAsync() is { } row ? ToProfile(row) : null;

    public Task<ProfileSyncResult> SyncProfileAsync(ProfileUpdate update) => WriteProfileAsync(update, account: null);

    public Task<ProfileSyncResult> CreateWithAccountAsync(ProfileUpdate update, ExternalAccount account) => WriteProfileAsync(update, account);

    public Task<ExternalAccount[]> ListAccountsAsync() => accounts.ListAsync(UserId);

    public async Task<PresenceSnapshot> GetPresenceAsync()
    {
        if (!_online)
        {
            try
            {
                await LoadAsync();
            }
            catch (StoreUnavailableException)
            {
                // That the user is offline is known all the same.
            }
        }

        return new() { UserId = UserId, Status = _online ? PresenceStatus.Online : PresenceStatus.Offline, LastSeenAt = _lastSeenAt };
    }

    public Task ConnectAsync(ConnectionLease lease) => RenewAsync([lease]);

    public Task RenewAsync(ConnectionLease[] leases)
    {
        var now = time.GetUtcNow();
        foreach (var lease in leases) _leases.Renew(lease, now);
        if (_leases.Count == 0) return Task.CompletedTask;

        if (_online)
        {
            onlineUsers.Extend(UserId, _leases.NextExpiry);
            return Task.CompletedTask;
        }

        _online = true;
        return onlineUsers.AddAsync(UserId, _leases.NextExpiry);
    }

    public Task DisconnectAsync(ConnectionLease lease)
    {
        var now = time.GetUtcNow();
        _leases.End(lease.ConnectionId, now);
        NoteGone(lease.SeenAt < now ? lease.SeenAt : now);

        // Also for a connection that was never known here: the silo that knew it may have died. Its key is left to its TTL then,
        // since other connections of this user may be about to be renewed.
        return GoOfflineUnlessConnectedAsync();
    }

    public Task ExpireLeasesAsync()
    {
        if (_leases.Expire(time.GetUtcNow()) is { } seenAt)
        {
            NoteGone(seenAt);
            return GoOfflineUnlessConnectedAsync();
        }

        if (_online) onlineUsers.Extend(UserId, _leases.NextExpiry);
        return Task.CompletedTask;
    }

    private Task GoOfflineUnlessConnectedAsync()
    {
        if (_leases.Count > 0)
        {
            onlineUsers.Extend(UserId, _leases.NextExpiry);
            return Task.CompletedTask;
        }

        _online = false;
        MoveLastSeen(_goneAt);
        return Task.WhenAll(onlineUsers.RemoveAsync(UserId), SaveLastSeenAsync());
    }

    private async Task SaveLastSeenAsync()
    {
        try
        {
            await lastSeen.SaveAsync(new(UserId, _lastSeenAt!.Value));
        }
        catch (StoreUnavailableException)
        {
            // The writer keeps the value and has said so in the log.
        }
    }

    private async Task<ProfileSyncResult> WriteProfileAsync(ProfileUpdate update, ExternalAccount? account)
    {
        for (var attempt = 0; attempt < WriteAttempts; attempt++)
        {
            var stored = await LoadAsync();
            if (stored is null && update.Email is null) return new(ProfileSyncOutcome.EmailMissing);

            var wanted = stored is null ? NewRow(update) : Merge(stored, update);
            if (wanted == stored) return new(ProfileSyncOutcome.Updated, ToProfile(stored));

            // Forgotten until the store has answered: after a timeout the row may be either.
            _row = null;
            switch (stored is null ? await store.InsertAsync(wanted, account) : await store.UpdateProfileAsync(wanted))
            {
                case UserWrite.Saved:
                    _row = stored is null ? wanted : wanted with { Version = stored.Version + 1 };
                    return new(stored is null ? ProfileSyncOutcome.Created : ProfileSyncOutcome.Updated, ToProfile(_row));
                case UserWrite.EmailTaken:
                    return new(ProfileSyncOutcome.EmailTaken);
                case UserWrite.AccountTaken:
                    return new(ProfileSyncOutcome.AccountTaken);
            }
        }

        throw new StoreUnavailableException("the user's row kept changing under this write.");
    }

    private UserRow NewRow(ProfileUpdate update) => new(
        UserId,
        update.Email!,
        update.EmailVerified,
        update.Name ?? update.Email![..update.Email!.IndexOf('@', StringComparison.Ordinal)],
        update.Avatar,
        CreatedAt: Instant.Truncate(time.GetUtcNow()),
        _lastSeenAt);

    private static UserRow Merge(UserRow row, ProfileUpdate update) => row with
    {
        Email = update.Email ?? row.Email,
        EmailVerified = update.Email is null || update.Email == row.Email ? row.EmailVerified || update.EmailVerified : update.EmailVerified,
        Name = update.Name ?? row.Name,
        Avatar = update.RemoveAvatar ? null : update.Avatar ?? row.Avatar,
    };

    private async ValueTask<UserRow?> LoadAsync()
    {
        // "No row" is not kept: a user may come into being by other means, and asking again is cheap for those who have none.
        _row ??= await store.FindAsync(UserId);
        if (_row?.LastSeenAt is { } stored) MoveLastSeen(stored);
        return _row;
    }

    private void NoteGone(DateTimeOffset at)
    {
        if (_goneAt < at) _goneAt = at;
    }

    private void MoveLastSeen(DateTimeOffset at)
    {
        at = Instant.Truncate(at);
        if (_lastSeenAt is null || _lastSeenAt < at) _lastSeenAt = at;
    }

    private UserProfile ToProfile(UserRow row) => new()
    {
        Id = row.Id,
        Email = row.Email,
        EmailVerified = row.EmailVerified,
        Name = row.Name,
        Avatar = row.Avatar,
        CreatedAt = row.CreatedAt,
        LastSeenAt = _lastSeenAt,
    };
}
