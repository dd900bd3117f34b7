using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Presence;
using Pulse.Users;

namespace Pulse.Grains.Users;

/// <summary>The <c>users</c> table. Only a user's own grain writes that user's row.</summary>
internal interface IUserStore : ILastSeenStore
{
    /// <summary>Runs the statements of a user's first request without any effect.</summary>
    /// <remarks>A process's first connection and the compilation of its driver can take longer than the timeout of a caller.</remarks>
    Task WarmUpAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads the row and the time of erasure in one round trip. Either or both are <see langword="null"/>.</summary>
    Task<(UserRow? Row, DateTimeOffset? ErasedAt)> FindWithTombstoneAsync(Guid userId, CancellationToken cancellationToken = default);

    /// <summary>The row, or <see langword="null"/>. One round trip.</summary>
    async Task<UserRow?> FindAsync(Guid userId, CancellationToken cancellationToken = default) =>
        (await FindWithTombstoneAsync(userId, cancellationToken)).Row;

    /// <summary>The rows with ids above this one, in order.</summary>
    Task<IReadOnlyList<UserRow>> ListAfterAsync(Guid after, int count, CancellationToken cancellationToken = default);

    /// <summary>The rows with this address: the row for which it is proven, if any, and then the others by id.</summary>
    Task<IReadOnlyList<UserRow>> FindByEmailAsync(string email, int count, CancellationToken cancellationToken = default);

    /// <summary>Sets the time from which the user is disabled, or enables the user.</summary>
    /// <param name="disabledAt">UTC, or <see langword="null"/> to enable. An earlier stored time is kept.</param>
    /// <returns><see langword="false"/> if the user has no row.</returns>
    Task<bool> SetDisabledAsync(Guid userId, DateTimeOffset? disabledAt, CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes the user's row with accounts, sessions and notices, deletes the one-time tokens of these mailboxes, and inserts tombstones,
    /// in one transaction.
    /// </summary>
    /// <param name="userId">The user.</param>
    /// <param name="accounts">See <see cref="AccountTombstone"/>.</param>
    /// <param name="mailboxes">Normalized addresses.</param>
    /// <param name="at">UTC.</param>
    Task EraseAsync(Guid userId, Guid[] accounts, string[] mailboxes, DateTimeOffset at, CancellationToken cancellationToken = default);

    /// <summary>The time of a tombstone, or <see langword="null"/>.</summary>
    Task<DateTimeOffset?> FindTombstoneAsync(Guid id, CancellationToken cancellationToken = default);

    /// <summary>
    /// The rows with the latest ids, latest first. The query uses the primary key alone, so its cost is independent of the number of users.
    /// </summary>
    Task<IReadOnlyList<UserRow>> ListNewestAsync(int count, CancellationToken cancellationToken = default);

    /// <summary>
    /// The rows with ids above this one, in order, each with a flag that says whether an unproven address is in the unique column.
    /// </summary>
    Task<IReadOnlyList<(UserRow Row, bool IsMisplaced)>> ListAddressesAsync(Guid after, int count, CancellationToken cancellationToken = default);

    /// <summary>Whether a change of existing rows is recorded as done in <c>data_upgrades</c>.</summary>
    Task<bool> IsUpgradedAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Records the change as done.</summary>
    Task SetUpgradedAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Returns the row with that id, or inserts this row. Takes one round trip where the database supports it.</summary>
    /// <returns>The existing row, if any, and the outcome of the insert.</returns>
    Task<(UserRow? Found, UserWrite Insert)> FindOrInsertAsync(UserRow user, CancellationToken cancellationToken = default);

    /// <summary>Inserts the user and, if given, the linked external account, in one transaction.</summary>
    Task<UserWrite> InsertAsync(UserRow user, ExternalAccount? account, CancellationToken cancellationToken = default);

    /// <summary>
    /// Writes e-mail, name and avatar if the row still has <see cref="UserRow.Version"/>, and increments the version. Applies the move, if
    /// any, in the same transaction. <see cref="UserWrite.EmailTaken"/> also means that the new mailbox is another user's account.
    /// </summary>
    Task<UserWrite> UpdateProfileAsync(UserRow user, MailboxMove? move = null, CancellationToken cancellationToken = default);
}

/// <summary>One row of <c>users</c>.</summary>
/// <param name="Email">The user's address, from either of its columns. See <see cref="AddressColumns"/>.</param>
/// <param name="Version">Counts profile writes. Guards against a second activation of the user's grain.</param>
/// <param name="NameEdited">Whether the user has chosen the name. <see langword="null"/> in rows from before this was recorded.</param>
/// <param name="AvatarEdited">As <paramref name="NameEdited"/>, for the picture.</param>
/// <param name="DisabledAt">Time since which an operator has disabled the user, UTC. <see langword="null"/> for an enabled user.</param>
/// <param name="TokensNotBefore">Tokens of trusted issuers with an earlier issue time are refused. <see langword="null"/> accepts
/// all.</param>
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
    /// <summary>The profile as other users read it.</summary>
    /// <param name="lastSeenAt">The latest known lastSeen, which may be later than the row's.</param>
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

/// <summary>Outcome of a write to <c>users</c>. Only <see cref="Saved"/> wrote a row.</summary>
internal enum UserWrite
{
    Saved,

    /// <summary>Another user has proven the e-mail.</summary>
    EmailTaken,

    /// <summary>The external account belongs to another user.</summary>
    AccountTaken,

    /// <summary>The row was inserted, changed or erased after it was read. The caller must read it again.</summary>
    Stale,
}
