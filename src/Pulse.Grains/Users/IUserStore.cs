using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Presence;
using Pulse.Users;

namespace Pulse.Grains.Users;

/// <summary>The <c>users</c> table. Only the grain of a user asks it to write that user's row.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database does not answer in time.</remarks>
internal interface IUserStore : ILastSeenStore
{
    /// <summary>Runs the statements of a user's first request, without effect.</summary>
    /// <remarks>A process's first connection and the compilation of its driver can take longer than a caller waits.</remarks>
    Task WarmUpAsync(CancellationToken cancellationToken = default);

    /// <summary>The row, and when the user was erased; either or both are <see langword="null"/>. One round trip.</summary>
    Task<(UserRow? Row, DateTimeOffset? ErasedAt)> FindWithTombstoneAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>The row, or <see langword="null"/>. One round trip.</summary>
    async Task<UserRow?> FindAsync(Guid userId, CancellationToken cancellationToken = default) =>
        (await FindWithTombstoneAsync(userId, cancellationToken)).Row;

    /// <summary>The rows with ids above this one, in order.</summary>
    Task<IReadOnlyList<UserRow>> ListAfterAsync(Guid after, int count, CancellationToken cancellationToken = default);

    /// <summary>The rows that have this address, proven or not; by id.</summary>
    Task<IReadOnlyList<UserRow>> FindByEmailAsync(string email, int count, CancellationToken cancellationToken = default);

    /// <summary>Disables the user as of that time, or enables the user.</summary>
    /// <param name="disabledAt">UTC; <see langword="null"/> to enable. An earlier time that is stored stays.</param>
    /// <returns><see langword="false"/> when the user has no row.</returns>
    Task<bool> SetDisabledAsync(Guid userId, DateTimeOffset? disabledAt, CancellationToken cancellationToken = default);

    /// <summary>Deletes the user's row, with accounts, sessions and notices, and these mailboxes' one-time tokens, and leaves tombstones, in one transaction.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="accounts">See <see cref="AccountTombstone"/>.</param>
    /// <param name="mailboxes">Normalised addresses.</param>
    /// <param name="at">UTC.</param>
    Task EraseAsync(Guid userId, Guid[] accounts, string[] mailboxes, DateTimeOffset at, CancellationToken cancellationToken = default);

    /// <summary>The time of a tombstone, or <see langword="null"/>.</summary>
    Task<DateTimeOffset?> FindTombstoneAsync(Guid id, CancellationToken cancellationToken = default);

    /// <summary>The rows with the latest ids, latest first. Goes by the primary key alone, however many users there are.</summary>
    Task<IReadOnlyList<UserRow>> ListNewestAsync(int count, CancellationToken cancellationToken = default);

    /// <summary>The rows with ids above this one, in order; for each, whether an address that is not proven is in the unique column.</summary>
    Task<IReadOnlyList<(UserRow Row, bool IsMisplaced)>> ListAddressesAsync(Guid after, int count, CancellationToken cancellationToken = default);

    /// <summary>Whether a change of existing rows is done; see <c>data_upgrades</c>.</summary>
    Task<bool> IsUpgradedAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Saves that it is.</summary>
    Task SetUpgradedAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>The row with that id; else inserts this one. One round trip where the database can.</summary>
    /// <returns>The row that was there before, if any; else what became of the insert.</returns>
    Task<(UserRow? Found, UserWrite Insert)> FindOrInsertAsync(UserRow user, CancellationToken cancellationToken = default);

    /// <summary>Inserts the user and, if given, the external account linked to them: both or neither.</summary>
    Task<UserWrite> InsertAsync(UserRow user, ExternalAccount? account, CancellationToken cancellationToken = default);

    /// <summary>Writes e-mail, name and avatar if the row still has <see cref="UserRow.Version"/>; its version is then one higher.</summary>
    Task<UserWrite> UpdateProfileAsync(UserRow user, CancellationToken cancellationToken = default);
}

/// <summary>One row of <c>users</c>.</summary>
/// <param name="Email">The user's address, from either of its columns; see <see cref="AddressColumns"/>.</param>
/// <param name="Version">Counts profile writes; guards against a second activation of the user's grain.</param>
/// <param name="NameEdited">Whether the user has chosen the name; <see langword="null"/> in rows from before that was recorded.</param>
/// <param name="AvatarEdited">As <paramref name="NameEdited"/>, for the picture.</param>
/// <param name="DisabledAt">Since when an operator has disabled the user, UTC; <see langword="null"/> for not.</param>
/// <param name="TokensNotBefore">Tokens of trusted issuers from before it are refused; <see langword="null"/> for none.</param>
internal sealed record UserRow(
    Guid Id,
    string Email,
    bool EmailVerified,
    string Name,
    string? Avatar,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastSeenAt,
    long Version = 0,
    bool? NameEdited = null,
    bool? AvatarEdited = null,
    DateTimeOffset? DisabledAt = null,
    DateTimeOffset? TokensNotBefore = null)
{
    /// <summary>As others read it.</summary>
    /// <param name="lastSeenAt">The latest that is known, which may be later than the row's.</param>
    public UserProfile ToProfile(DateTimeOffset? lastSeenAt) => new()
    {
        Id = Id,
        Email = Email,
        EmailVerified = EmailVerified,
        Name = Name,
        Avatar = Avatar,
        CreatedAt = CreatedAt,
        LastSeenAt = lastSeenAt,
        DisabledAt = DisabledAt,
        TokensNotBefore = TokensNotBefore,
    };
}

/// <summary>What became of a write to <c>users</c>. Anything but <see cref="Saved"/> wrote nothing.</summary>
internal enum UserWrite
{
    Saved,

    /// <summary>Another user has proven the e-mail.</summary>
    EmailTaken,

    /// <summary>The external account is another user's.</summary>
    AccountTaken,

    /// <summary>The row has come into being, changed, or been erased since it was read: read again.</summary>
    Stale,
}
