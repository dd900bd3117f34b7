using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Web.Dashboard;

/// <summary>All that the dashboard shows of its user.</summary>
public sealed record DashboardView
{
    /// <summary>Whose it is.</summary>
    public required UserProfile User { get; init; }

    /// <summary>Their presence when the page was made; the script keeps it current.</summary>
    public required PresenceSnapshot Presence { get; init; }

    /// <summary>The others; <see langword="null"/> where nobody is listed.</summary>
    public IReadOnlyList<Person>? People { get; init; }

    /// <summary>Their sign-ins, the current one first.</summary>
    public required IReadOnlyList<Device> Devices { get; init; }

    /// <summary>Their accounts, and providers that they could link.</summary>
    public required IReadOnlyList<Account> Accounts { get; init; }

    /// <summary>What happened to the user's ways to sign in, latest first.</summary>
    public required IReadOnlyList<Notice> Notices { get; init; }

    /// <summary>Whether the ways to sign in can be changed now; otherwise the user has to sign in again first.</summary>
    public required bool IsRecent { get; init; }

    /// <summary>A notice.</summary>
    /// <param name="Words">A sentence.</param>
    /// <param name="At">When, UTC.</param>
    public sealed record Notice(string Words, DateTimeOffset At);

    /// <summary>A sign-in.</summary>
    /// <param name="Id">The session.</param>
    /// <param name="Name">The device in words.</param>
    /// <param name="IsPhone">For its picture.</param>
    /// <param name="IsCurrent">Whether it is this browser.</param>
    /// <param name="Address">IP address, when known.</param>
    /// <param name="CreatedAt">When they signed in, UTC.</param>
    /// <param name="LastUsedAt">Latest known use, UTC; exact to a day.</param>
    /// <param name="UsedToday">Whether that is so recent that no more than "in the last day" is known.</param>
    public sealed record Device(
        Guid Id, string Name, bool IsPhone, bool IsCurrent, string? Address, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, bool UsedToday);

    /// <summary>A way to sign in.</summary>
    /// <param name="Provider">Its name in accounts.</param>
    /// <param name="DisplayName">Its name for people.</param>
    /// <param name="IsLinked">Whether it is the user's.</param>
    /// <param name="CanUnlink">Whether it is linked and not their last way in.</param>
    /// <param name="LinkHref">Where linking it begins; <see langword="null"/> if it is linked or cannot be.</param>
    /// <param name="WhyNot">Why it cannot be linked now.</param>
    /// <param name="Id">What unlinking it names; <see langword="null"/> if it is not linked.</param>
    /// <param name="Email">The account's address at the provider, when known.</param>
    public sealed record Account(
        string Provider, string DisplayName, bool IsLinked, bool CanUnlink = false, string? LinkHref = null, string? WhyNot = null,
        string? Id = null, string? Email = null);
}
