using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Storage;
using Pulse.Users;

namespace Pulse.Grains.Users;

/// <summary>
/// A user's row and tombstone in the memory of the user's grain. Reads are lazy and repeated once the row is old. Writes check the row's
/// version.
/// </summary>
/// <remarks>
/// Operators and other programs change rows by SQL. While the database is unavailable, a row in memory remains valid for some minutes, as
/// sessions do.
/// </remarks>
internal sealed class StoredUser(Guid userId, IUserStore store, TimeProvider time)
{
    /// <summary>Maximum age of the row for callers that need the current one.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);

    /// <summary>Maximum age of the row while the database is unavailable.</summary>
    public static readonly TimeSpan StaleReadLimit = TimeSpan.FromMinutes(5);

    // A caller that has a row in memory gets it after this time, so that requests keep their deadlines while the database is slow.
    private static readonly TimeSpan s_refreshTimeout = TimeSpan.FromMilliseconds(300);

    // A second activation of this user can win a race for the row once. A series of wins is implausible.
    private const int WriteAttempts = 3;

    // The values of ExternalAccount.Type for which an erasure affects more than the row.
    private const string MailboxType = "email";
    private const string TokenType = "token";

    // Limits the lookups of a watched user without a row. A row that another program inserts is found after this delay at the latest.
    private static readonly TimeSpan s_absentCacheDuration = TimeSpan.FromSeconds(30);

    private UserRow? _row;
    private DateTimeOffset? _erasedAt;
    private long? _readAt;
    private long? _awayAt;
    private Refresh? _refresh;

    /// <summary>Whether there is a row in memory.</summary>
    public bool IsLoaded => _row is not null;

    /// <summary>Whether the user is known to be erased.</summary>
    public bool IsErased => _erasedAt is not null;

    /// <summary>The user's state as far as it is in memory.</summary>
    public UserState State =>
        IsErased ? UserState.Erased
        : _row is null ? UserState.Unknown
        : _row.DisabledAt is not null ? UserState.Disabled
        : UserState.Active;

    /// <summary>The row, or <see langword="null"/>. Reads the row once, and repeatedly at intervals while it is missing.</summary>
    /// <exception cref="StoreUnavailableException">The row is not in memory, and the database is unavailable.</exception>
    public async ValueTask<UserRow?> LoadAsync() =>
        _row is not null || IsErased || (_readAt is { } at && time.GetElapsedTime(at) < s_absentCacheDuration) ? _row : await ReadAsync();

    /// <summary>The row as it was at most <see cref="FreshFor"/> ago, or <see langword="null"/>.</summary>
    /// <remarks>
    /// While the database is slow or unavailable, the row in memory counts for up to <see cref="StaleReadLimit"/>. A slow read goes on, and
    /// the first caller after its end gets its answer.
    /// </remarks>
    /// <exception cref="StoreUnavailableException">The database is unavailable, and the row was last read more than <see cref="StaleReadLimit"/>
    /// ago.</exception>
    public ValueTask<UserRow?> LoadFreshAsync() => LoadFreshAsync(s_refreshTimeout);

    private async ValueTask<UserRow?> LoadFreshAsync(TimeSpan patience)
    {
        if (_refresh is { Answer.IsCompleted: true }) await TakeRefreshAsync();
        if (_row is null || IsErased || _readAt is not { } at) return await LoadAsync();

        var age = time.GetElapsedTime(at);
        if (age < FreshFor || (age < StaleReadLimit && _awayAt is { } away && time.GetElapsedTime(away) < FreshFor)) return _row;
        if (age >= StaleReadLimit) return await ReadAsync();
        if (_refresh is not null && patience != Timeout.InfiniteTimeSpan) return _row;

        _refresh ??= new(FindAsync(), time.GetTimestamp());
        await ((Task)_refresh.Answer).WaitAsync(patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (_refresh.Answer.IsCompleted) await TakeRefreshAsync();
        return _row;

        async Task<(UserRow?, DateTimeOffset?)> FindAsync() => await store.FindWithTombstoneAsync(userId);
    }

    /// <summary>The state because of which a call is refused, or <see langword="null"/>. Uses only the row in memory.</summary>
    /// <param name="ofTrustedIssuer">Whether a trusted issuer has issued the caller's token.</param>
    /// <param name="tokenIssuedAt">The token's issue time, if the token has one.</param>
    public UserState? FindRefusal(bool ofTrustedIssuer, DateTimeOffset? tokenIssuedAt) => State switch
    {
        UserState.Disabled or UserState.Erased => State,
        _ when ofTrustedIssuer && _row?.TokensNotBefore is { } notBefore && !(tokenIssuedAt > notBefore) => UserState.Erased,
        _ => null,
    };

    /// <summary>Deletes the row and all data that belongs to it, and inserts tombstones.</summary>
    /// <returns><see langword="false"/>, and the database is unchanged, if both row and tombstone are missing.</returns>
    public async Task<bool> EraseAsync(IEnumerable<ExternalAccount> accounts)
    {
        var row = await ReadAsync();
        if (row is null) return IsErased;

        var linked = accounts.ToList();
        var now = Instant.Truncate(time.GetUtcNow());
        string[] mailboxes = [.. linked.Where(account => account.Type == MailboxType).Select(account => account.ProviderAccountId)];
        await store.EraseAsync(
            userId,
            [.. linked.Where(account => account.Type == TokenType).Select(account => AccountTombstone.IdOf(new(account.Provider, account.ProviderAccountId)))],
            row.EmailVerified ? [.. mailboxes.Append(row.Email).Distinct()] : mailboxes,
            now);
        (_row, _erasedAt) = (null, now);
        return true;
    }

    /// <summary>Disables or enables the user.</summary>
    /// <returns><see langword="false"/>, and the database is unchanged, if the row is missing.</returns>
    public async Task<bool> SetDisabledAsync(bool disabled)
    {
        DateTimeOffset? at = disabled ? Instant.Truncate(time.GetUtcNow()) : null;
        var found = await store.SetDisabledAsync(userId, at);
        try
        {
            await ReadAsync();
        }
        catch (StoreUnavailableException) when (found)
        {
            // The change is committed. The caller must close the connections of a disabled user now, whatever the database does next.
            if (_row is not null) _row = _row with { DisabledAt = disabled ? _row.DisabledAt ?? at : null };
        }

        return found;
    }

    /// <summary>Inserts the row, or applies the update to it.</summary>
    /// <param name="update">The values to write.</param>
    /// <param name="account">Created in the same transaction as a new row.</param>
    /// <param name="lastSeenAt">Stored in a new row, because the user may have connected and disconnected before the row existed.</param>
    /// <returns>The outcome, the row, and the proven address that was replaced by another.</returns>
    public async Task<(ProfileSyncOutcome Outcome, UserRow? Row, string? FormerEmail)> WriteAsync(ProfileUpdate update, ExternalAccount? account, DateTimeOffset? lastSeenAt)
    {
        string? replaced = null;
        for (var attempt = 0; attempt < WriteAttempts; attempt++)
        {
            if (_row is null && account is null && update.Email is not null)
            {
                // The row is unknown and may be new, so one statement reads or inserts it.
                if (IsErased) return (ProfileSyncOutcome.Erased, null, null);
                var row = NewRow(update, lastSeenAt);
                (_readAt, _refresh) = (null, null);
                (_row, var insert) = await store.FindOrInsertAsync(row);
                if (insert == UserWrite.EmailTaken) return (ProfileSyncOutcome.EmailTaken, null, null);
                if (_row is not null || insert == UserWrite.Saved) _readAt = time.GetTimestamp();
                if (insert == UserWrite.Saved) return (ProfileSyncOutcome.Created, _row = row, null);
            }


            // Waits for a slow read, because an update that equals the row in memory is not written.
            var stored = _row is null ? await ReadAsync() : await LoadFreshAsync(Timeout.InfiniteTimeSpan);
            if (FindRefusal(ofTrustedIssuer: account is null && update.TokenIssuedAt is not null, update.TokenIssuedAt) is { } refusal)
                return (refusal == UserState.Disabled ? ProfileSyncOutcome.Disabled : ProfileSyncOutcome.Erased, null, null);
            if (stored is null && update.Email is null) return (ProfileSyncOutcome.EmailMissing, null, null);

            var wanted = stored is null ? NewRow(update, lastSeenAt) : Merge(stored, update);
            // After a first attempt whose answer was lost, the row is as wanted.
            if (wanted == stored) return (ProfileSyncOutcome.Updated, stored, replaced);

            var move = stored is not null && wanted.EmailVerified && wanted.Email != stored.Email ? new MailboxMove(stored.Email, update.ConfirmedInSession) : null;
            if (stored is { EmailVerified: true } && move is not null) replaced = stored.Email;

            // Cleared until the store has answered, because after a timeout the row may be in either state.
            (_row, _readAt, _refresh) = (null, null, null);
            switch (stored is null ? await store.InsertAsync(wanted, account) : await store.UpdateProfileAsync(wanted, move))
            {
                case UserWrite.Saved:
                    (_row, _readAt) = (stored is null ? wanted : wanted with { Version = stored.Version + 1 }, time.GetTimestamp());
                    return (stored is null ? ProfileSyncOutcome.Created : ProfileSyncOutcome.Updated, _row, replaced);
                case UserWrite.EmailTaken:
                    return (ProfileSyncOutcome.EmailTaken, null, null);
                case UserWrite.AccountTaken:
                    return (ProfileSyncOutcome.AccountTaken, null, null);
            }
        }

        throw new StoreUnavailableException("the user's row changed repeatedly during this write.");
    }

    private async Task<UserRow?> ReadAsync()
    {
        _refresh = null;
        return await TakeAsync(await store.FindWithTombstoneAsync(userId), time.GetTimestamp());
    }

    private async Task TakeRefreshAsync()
    {
        var refresh = _refresh!;
        _refresh = null;
        try
        {
            await TakeAsync(await refresh.Answer, refresh.BegunAt);
        }
        catch (StoreUnavailableException)
        {
            _awayAt = time.GetTimestamp();
        }
    }

    private async Task<UserRow?> TakeAsync((UserRow? Row, DateTimeOffset? ErasedAt) found, long readAt)
    {
        (_row, _erasedAt) = found;
        (_readAt, _awayAt) = (readAt, null);
        if (_row is null || _erasedAt is not { } at) return _row;

        // Another activation, which did not know of the erasure yet, inserted the row in between.
        await store.EraseAsync(userId, [], [], at);
        return _row = null;
    }

    private UserRow NewRow(ProfileUpdate update, DateTimeOffset? lastSeenAt) => new(
        userId,
        update.Email!,
        update.EmailVerified,
        update.Name ?? update.Email![..update.Email!.IndexOf('@', StringComparison.Ordinal)],
        update.Avatar,
        CreatedAt: Instant.Truncate(time.GetUtcNow()),
        lastSeenAt,
        NameEdited: update.EditsName && update.Name is not null,
        AvatarEdited: update.EditsAvatar && update.Avatar is not null,
        TokensNotBefore: update.TokensNotBefore);

    private static UserRow Merge(UserRow row, ProfileUpdate update)
    {
        // Only a proven address replaces a proven one.
        var takesEmail = update.Email is not null && (update.EmailVerified || !row.EmailVerified);
        var name = update.Name is not null && MayWrite(update.EditsName, row.NameEdited) ? update.Name : row.Name;
        var avatar = (update.RemoveAvatar || update.Avatar is not null) && MayWrite(update.EditsAvatar, row.AvatarEdited) ? update.Avatar : row.Avatar;
        return row with
        {
            Email = takesEmail ? update.Email! : row.Email,
            EmailVerified = takesEmail ? update.EmailVerified : row.EmailVerified,
            Name = name,
            NameEdited = update.EditsName && name != row.Name ? true : row.NameEdited,
            Avatar = avatar,
            AvatarEdited = update.EditsAvatar && avatar != row.Avatar ? true : row.AvatarEdited,
        };

        // Rows from before edits were recorded have no mark. As before, a token may change them and a sign-in may not.
        bool MayWrite(bool edits, bool? wasEdited) => edits || !(wasEdited ?? update.FromSignIn);
    }

    /// <summary>A read that may go on after its caller has left.</summary>
    private sealed record Refresh(Task<(UserRow? Row, DateTimeOffset? ErasedAt)> Answer, long BegunAt);
}
