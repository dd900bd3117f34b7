using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Pages;

namespace Pulse.Web.Dashboard;

/// <summary>The content of a user's dashboard.</summary>
public sealed record DashboardView
{
    /// <summary>The user.</summary>
    public required UserProfile User { get; init; }

    /// <summary>The user's presence when the page was rendered. The script updates it.</summary>
    public required PresenceSnapshot Presence { get; init; }

    /// <summary>The other users. <see langword="null"/> if the list is off.</summary>
    public IReadOnlyList<Person>? People { get; init; }

    /// <summary>The user's sign-ins, the current one first.</summary>
    public required IReadOnlyList<Device> Devices { get; init; }

    /// <summary>The user's accounts, and providers that can be linked.</summary>
    public required IReadOnlyList<Account> Accounts { get; init; }

    /// <summary>Changes of the user's ways to sign in, latest first.</summary>
    public required IReadOnlyList<Notice> Notices { get; init; }

    /// <summary>Whether the ways to sign in can be changed now. Otherwise the user must sign in again first.</summary>
    public required bool IsRecent { get; init; }

    /// <summary>A notice.</summary>
    /// <param name="Words">A sentence.</param>
    /// <param name="At">When, UTC.</param>
    public sealed record Notice(Words Words, DateTimeOffset At);

    /// <summary>A sign-in.</summary>
    /// <param name="Id">The session.</param>
    /// <param name="Name">The device's readable name.</param>
    /// <param name="IsPhone">For its picture.</param>
    /// <param name="IsCurrent">Whether it is this browser.</param>
    /// <param name="Address">IP address, if known.</param>
    /// <param name="CreatedAt">When the user signed in, UTC.</param>
    /// <param name="LastUsedAt">Latest known use, UTC, accurate to a day.</param>
    /// <param name="UsedToday">Whether the use is so recent that the page can only show "in the last day".</param>
    public sealed record Device(
        Guid Id, Words Name, bool IsPhone, bool IsCurrent, string? Address, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, bool UsedToday);

    /// <summary>A way to sign in.</summary>
    /// <param name="Provider">Its name in accounts.</param>
    /// <param name="DisplayName">Its readable name.</param>
    /// <param name="IsLinked">Whether it is linked to the user.</param>
    /// <param name="CanUnlink">Whether it is linked and other ways to sign in remain.</param>
    /// <param name="LinkHref">The URL that begins the link. <see langword="null"/> if it is linked or unavailable.</param>
    /// <param name="UnavailableReason">The reason why it cannot be linked now.</param>
    /// <param name="Id">The id for unlinking. <see langword="null"/> if it is not linked.</param>
    /// <param name="Email">The account's address at the provider, if known.</param>
    public sealed record Account(
        string Provider, Words DisplayName, bool IsLinked, bool CanUnlink = false, string? LinkHref = null, Words? UnavailableReason = null,
        string? Id = null, string? Email = null);
}
