using System.Globalization;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Pages.Parts;
using Pulse.Web.SignIn;

namespace Pulse.Web.Pages.Dashboard;

/// <summary>Gathers what the dashboard shows, in as many calls as there are owners, all at once.</summary>
internal sealed class DashboardReader(IGrainFactory grains, SignInProviders providers)
{
    /// <summary>The dashboard of a signed-in caller; <see langword="null"/> when there is no such user any more.</summary>
    public async Task<DashboardView?> ReadAsync(Caller caller)
    {
        var userId = caller.OwnUserId!.Value;
        var user = grains.GetGrain<IUserGrain>(userId);
        var profile = user.GetProfileAsync();
        var presence = user.GetPresenceAsync();
        var accounts = user.ListAccountsAsync();
        var sessions = grains.GetGrain<IUserSessionsGrain>(userId).ListAsync();
        await Task.WhenAll(profile, presence, accounts, sessions);
        if (await profile is not { } stored) return null;

        return new()
        {
            User = stored,
            Presence = await presence,
            Devices = [.. (await sessions).Select(session => ToDevice(session, caller.SessionId)).OrderByDescending(device => device.IsCurrent)],
            Accounts = [.. ToAccounts(await accounts)],
        };
    }

    private static DashboardView.Device ToDevice(SignInSession session, string? currentId)
    {
        var name = DeviceName.From(session.Device);
        var isCurrent = session.Id.ToString("D", CultureInfo.InvariantCulture) == currentId;
        return new(session.Id, name.Text, name.IsPhone, isCurrent, session.Address, session.CreatedAt, session.LastUsedAt);
    }

    private IEnumerable<DashboardView.Account> ToAccounts(ExternalAccount[] linked)
    {
        var canUnlink = linked.Length > 1;
        var offered = providers.All;
        foreach (var provider in linked.Select(account => account.Provider).Distinct(StringComparer.Ordinal))
            yield return new(provider, DisplayName(provider), IsLinked: true, canUnlink, WhyNot: null);

        foreach (var provider in offered.Where(provider => !linked.Any(account => account.Provider == provider.Name)))
            yield return new(provider.Name, provider.DisplayName, IsLinked: false, CanUnlink: false, provider.WhyNot);
    }

    private string DisplayName(string provider) =>
        providers.All.FirstOrDefault(known => known.Name == provider)?.DisplayName ?? provider switch
        {
            "email" => "E-mail link",
            "dev" => "Development sign-in",
            _ => provider,
        };
}
