using System.Security.Claims;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Sessions;
using Pulse.Web.SignIn;

namespace Pulse.Web.Pages.Dashboard;

/// <summary>Gathers what the dashboard shows, from all its owners at once.</summary>
internal sealed class DashboardReader(
    IGrainFactory grains, Callers callers, PeopleReader people, SignInProviders providers, AccountLinking linking, TimeProvider time)
{
    // So precisely a session's last use is known.
    private static readonly TimeSpan s_useResolution = TimeSpan.FromDays(1);

    private static readonly string s_afterLinking = Uri.EscapeDataString($"/dashboard?done={DashboardNotice.Linked}");

    /// <summary>The dashboard of whoever is signed in; <see langword="null"/> when there is no such user any more.</summary>
    public async Task<DashboardView?> ReadAsync(ClaimsPrincipal principal, CancellationToken cancellationToken)
    {
        var caller = callers.Read(principal);
        if (await callers.FindUserIdAsync(caller) is not { } userId) return null;

        var user = grains.GetGrain<IUserGrain>(userId);
        var profile = user.GetProfileAsync();
        var presence = user.GetPresenceAsync();
        var accounts = user.ListAccountsAsync();
        var sessions = grains.GetGrain<IUserSessionsGrain>(userId).ListAsync();
        var others = people.ReadAsync(userId, cancellationToken);
        await Task.WhenAll(profile, presence, accounts, sessions, others);
        if (await profile is not { } stored) return null;

        return new()
        {
            User = stored,
            Presence = await presence,
            People = await others,
            Devices = [.. (await sessions).Select(session => ToDevice(session, caller.OwnSessionId)).OrderByDescending(device => device.IsCurrent)],
            Accounts = [.. Linked(await accounts), .. Linkable(await accounts, principal)],
        };
    }

    private DashboardView.Device ToDevice(SignInSession session, Guid? currentId) => new(
        session.Id,
        DeviceName.From(session.Device),
        // Tablets too: the word is in the User-Agent of both kinds of phone and of Android's tablets.
        session.Device is { } device && (device.Contains("Mobile", StringComparison.Ordinal) || device.Contains("Android", StringComparison.Ordinal)),
        session.Id == currentId,
        session.Address,
        session.CreatedAt,
        session.LastUsedAt,
        time.GetUtcNow() - session.LastUsedAt < s_useResolution);

    private IEnumerable<DashboardView.Account> Linked(ExternalAccount[] accounts) =>
        accounts.Select(account => account.Provider).Distinct(StringComparer.Ordinal).Select(provider =>
            new DashboardView.Account(provider, providers.DisplayName(provider), IsLinked: true, CanUnlink: accounts.Length > 1));

    private IEnumerable<DashboardView.Account> Linkable(ExternalAccount[] accounts, ClaimsPrincipal principal) =>
        providers.All.Where(provider => !Array.Exists(accounts, account => account.Provider == provider.Name)).Select(provider =>
            new DashboardView.Account(
                provider.Name,
                provider.DisplayName,
                IsLinked: false,
                LinkHref: provider.WhyNot is null ? $"{linking.Href(principal, provider.Name)}&returnUrl={s_afterLinking}" : null,
                WhyNot: provider.WhyNot));
}
