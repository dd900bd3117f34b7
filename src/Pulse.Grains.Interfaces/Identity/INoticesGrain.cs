namespace Pulse.Identity;

/// <summary>What the owner of one user is told about their accounts. The key is the user id.</summary>
/// <remarks>
/// A front end tells by mail where it can, and saves a notice for the dashboard in any case: whoever reads the mailbox may be the reason for it.
/// Both methods throw <see cref="StoreUnavailableException"/> while the database is away.
/// </remarks>
[Alias("pulse.INoticesGrain")]
public interface INoticesGrain : IGrainWithGuidKey
{
    /// <summary>Saves a notice. Of one user's, the latest 20 are kept, for 90 days.</summary>
    [Alias("AddAsync")]
    Task AddAsync(AccountNoticeKind kind, string? detail);

    /// <summary>The saved notices, latest first.</summary>
    [Alias("ListAsync")]
    Task<AccountNotice[]> ListAsync();
}

/// <summary>What a notice is about. Readers pass over a kind that they do not know.</summary>
public enum AccountNoticeKind
{
    /// <summary>An account was linked.</summary>
    Linked = 1,

    /// <summary>An account was unlinked.</summary>
    Unlinked = 2,

    /// <summary>The user's address was changed.</summary>
    AddressChanged = 3,

    /// <summary>A browser signed in that had not signed in as this user before.</summary>
    NewDevice = 4,
}

/// <summary>One notice.</summary>
[GenerateSerializer, Immutable, Alias("pulse.AccountNotice")]
public sealed record AccountNotice
{
    /// <summary>What happened.</summary>
    [Id(0)] public required AccountNoticeKind Kind { get; init; }

    /// <summary>Which account, address or device, in words for people, at most 400 characters; <see langword="null"/> for none.</summary>
    [Id(1)] public string? Detail { get; init; }

    /// <summary>When, UTC.</summary>
    [Id(2)] public required DateTimeOffset At { get; init; }
}
