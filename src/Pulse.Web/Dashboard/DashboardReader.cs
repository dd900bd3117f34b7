using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Http;
using Pulse.Web.Pages;
using Pulse.Web.Sessions;
using Pulse.Web.SignIn;
using Pulse.Web.Tokens;

namespace Pulse.Web.Dashboard;

/// <summary>Reads the content of the dashboard from all its sources in parallel.</summary>
internal sealed class DashboardReader(
    IGrainFactory grains, PeopleReader people, SignInProviders providers, AccountLinking linking, SitePaths paths, RecentSignIn recentSignIn,
    TimeProvider time)
{
    // Accuracy of a session's last use.
    private static readonly TimeSpan s_useResolution = TimeSpan.FromDays(1);

    private readonly string _afterLinking = Uri.EscapeDataString(paths.For($"/dashboard?done={DashboardNotice.Linked}"));

    /// <summary>The dashboard of the signed-in user. <see langword="null"/> if the user no longer exists.</summary>
    public async Task<DashboardView?> ReadAsync(SignedInUser caller, HttpContext context)
    {
        var user = grains.GetGrain<IUserGrain>(caller.Id);
        var profile = user.GetProfileAsync();
        var presence = user.GetPresenceAsync();
        var accounts = user.ListAccountsAsync();
        var sessions = grains.GetGrain<IUserSessionsGrain>(caller.Id).ListAsync();
        var others = people.ReadAsync(caller.Id, context.RequestAborted);
        var notices = ReadNoticesAsync(caller.Id);
        var isRecent = recentSignIn.IsRecent(caller.Caller);
        await Task.WhenAll(profile, presence, accounts, sessions, others, notices);
        if (await profile is not { } stored) return null;

        return new()
        {
            User = stored,
            Presence = await presence,
            People = await others,
            Devices = [.. (await sessions).Select(session => ToDevice(session, caller.SessionId)).OrderByDescending(device => device.IsCurrent)],
            Accounts = [.. Linked(await accounts, isRecent), .. Linkable(await accounts, caller, isRecent, context)],
            Notices = await notices,
            IsRecent = isRecent,
        };
    }

    private DashboardView.Device ToDevice(SignInSession session, Guid? currentId) => new(
        session.Id,
        DeviceWords.Of(DeviceName.From(session.Device)),
        // Includes tablets: the word is in the User-Agent of both kinds of phone and of Android's tablets.
        session.Device is { } device && (device.Contains("Mobile", StringComparison.Ordinal) || device.Contains("Android", StringComparison.Ordinal)),
        session.Id == currentId,
        session.Address,
        session.CreatedAt,
        session.LastUsedAt,
        time.GetUtcNow() - session.LastUsedAt < s_useResolution);

    private IEnumerable<DashboardView.Account> Linked(ExternalAccount[] accounts, bool isRecent) =>
        accounts.Select(account => new DashboardView.Account(
            account.Provider,
            providers.DisplayName(account.Provider),
            IsLinked: true,
            CanUnlink: accounts.Length > 1 && isRecent,
            Id: account.LinkId?.ToString("D") ?? account.Provider,
            Email: account.Email));

    // Includes providers with a linked account, because a person may have several accounts there.
    private IEnumerable<DashboardView.Account> Linkable(ExternalAccount[] accounts, SignedInUser caller, bool isRecent, HttpContext context) =>
        providers.AllFor(context).Select(provider => new DashboardView.Account(
            provider.Name,
            provider.DisplayName,
            IsLinked: false,
            LinkHref: provider.UnavailableReason is null && isRecent ? $"{linking.Href(caller, provider.Name, accounts)}&returnUrl={_afterLinking}" : null,
            UnavailableReason: provider.UnavailableReason));

    private async Task<DashboardView.Notice[]> ReadNoticesAsync(Guid userId)
    {
        try
        {
            return [.. from notice in await grains.GetGrain<INoticesGrain>(userId).ListAsync()
                       let words = NoticeWords.For(notice.Kind, notice.Detail)
                       where words is not null
                       select new DashboardView.Notice(words.Value, notice.At)];
        }
        catch (Exception exception) when (exception is ArgumentException)
        {
            // All silos are still of an earlier version.
            return [];
        }
    }
}
