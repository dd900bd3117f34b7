namespace Pulse.Identity;

/// <summary>Notices to the owner of one user about changes of the accounts. The key is the user id.</summary>
/// <remarks>
/// A front end sends a mail where it can, and always saves a notice for the dashboard, because the reader of the mailbox may be the
/// attacker. Both methods throw <see cref="StoreUnavailableException"/> while the database is unavailable.
/// </remarks>
[Alias("pulse.INoticesGrain")]
public interface INoticesGrain : IGrainWithGuidKey
{
    /// <summary>Saves a notice. The latest 20 notices of a user are kept for 90 days.</summary>
    [Alias("AddAsync")]
    Task AddAsync(AccountNoticeKind kind, string? detail);

    /// <summary>The saved notices, latest first.</summary>
    [Alias("ListAsync")]
    Task<AccountNotice[]> ListAsync();
}

/// <summary>The kind of a notice. Readers skip unknown kinds.</summary>
public enum AccountNoticeKind
{
    /// <summary>An account was linked.</summary>
    Linked = 1,

    /// <summary>An account was unlinked.</summary>
    Unlinked = 2,

    /// <summary>The user's address was changed.</summary>
    AddressChanged = 3,

    /// <summary>A browser signed in as this user for the first time.</summary>
    NewDevice = 4,
}

/// <summary>One notice.</summary>
[GenerateSerializer, Immutable, Alias("pulse.AccountNotice")]
public sealed record AccountNotice
{
    /// <summary>What happened.</summary>
    [Id(0)] public required AccountNoticeKind Kind { get; init; }

    /// <summary>The account, address or device as readable text, at most 400 characters, or <see langword="null"/>.</summary>
    [Id(1)] public string? Detail { get; init; }

    /// <summary>Time of the event, UTC.</summary>
    [Id(2)] public required DateTimeOffset At { get; init; }
}
