using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Grains.Users;

/// <summary>A user's row as their grain holds it: read when first needed, written under its version.</summary>
internal sealed class StoredUser(Guid userId, IUserStore store, TimeProvider time)
{
    // A second activation of this user can win a race for the row once; that it keeps winning is not plausible.
    private const int WriteAttempts = 3;

    // Whoever is watched without having a row would else be looked up at every look. One that comes into being by other means is found that late.
    private static readonly TimeSpan AbsentFor = TimeSpan.FromSeconds(30);

    private UserRow? _row;
    private long? _absentAt;

    /// <summary>Whether there is a row in memory.</summary>
    public bool IsLoaded => _row is not null;

    /// <summary>The row, or <see langword="null"/>. Reads it once, and now and then while there is none.</summary>
    /// <exception cref="StoreUnavailableException">It has not been read yet, and the database is away.</exception>
    public async ValueTask<UserRow?> LoadAsync() =>
        _row is not null || (_absentAt is { } at && time.GetElapsedTime(at) < AbsentFor) ? _row : await ReadAsync();

    /// <summary>Creates the row, or brings it in line with the update.</summary>
    /// <param name="update">What to write.</param>
    /// <param name="account">Created in the same transaction as a new row.</param>
    /// <param name="lastSeenAt">Goes into a new row: the user may have come and gone before they had one.</param>
    public async Task<(ProfileSyncOutcome Outcome, UserRow? Row)> WriteAsync(ProfileUpdate update, ExternalAccount? account, DateTimeOffset? lastSeenAt)
    {
        for (var attempt = 0; attempt < WriteAttempts; attempt++)
        {
            if (_row is null && account is null && update.Email is not null)
            {
                // Nothing is known of the row, and it may be new: asked for and inserted in one go.
                var row = NewRow(update, lastSeenAt);
                _absentAt = null;
                (_row, var insert) = await store.FindOrInsertAsync(row);
                if (insert == UserWrite.EmailTaken) return (ProfileSyncOutcome.EmailTaken, null);
                if (insert == UserWrite.Saved) return (ProfileSyncOutcome.Created, _row = row);
            }

            var stored = _row ?? await ReadAsync();
            if (stored is null && update.Email is null) return (ProfileSyncOutcome.EmailMissing, null);

            var wanted = stored is null ? NewRow(update, lastSeenAt) : Merge(stored, update);
            if (wanted == stored) return (ProfileSyncOutcome.Updated, stored);

            // Forgotten until the store has answered: after a timeout the row may be either.
            (_row, _absentAt) = (null, null);
            switch (stored is null ? await store.InsertAsync(wanted, account) : await store.UpdateProfileAsync(wanted))
            {
                case UserWrite.Saved:
                    _row = stored is null ? wanted : wanted with { Version = stored.Version + 1 };
                    return (stored is null ? ProfileSyncOutcome.Created : ProfileSyncOutcome.Updated, _row);
                case UserWrite.EmailTaken:
                    return (ProfileSyncOutcome.EmailTaken, null);
                case UserWrite.AccountTaken:
                    return (ProfileSyncOutcome.AccountTaken, null);
            }
        }

        throw new StoreUnavailableException("the user's row kept changing under this write.");
    }

    private async Task<UserRow?> ReadAsync()
    {
        _row = await store.FindAsync(userId);
        _absentAt = _row is null ? time.GetTimestamp() : null;
        return _row;
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
        AvatarEdited: update.EditsAvatar && update.Avatar is not null);

    private static UserRow Merge(UserRow row, ProfileUpdate update)
    {
        // An address that is only stated never replaces a proven one.
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

        // Of a row from before edits were recorded nothing is known: a token changes it as it always did, and a sign-in, which never did, does not.
        bool MayWrite(bool edits, bool? wasEdited) => edits || !(wasEdited ?? update.FromSignIn);
    }
}
