using System.Globalization;
using Microsoft.Extensions.Options;
using Pulse.Users;
using Pulse.Web.Pages;
using Pulse.Web.Presence;

namespace Pulse.Web.Dashboard;

/// <summary>Reads the people list of the dashboard.</summary>
internal sealed class PeopleReader(IGrainFactory grains, IPresencePolicy policy, PresenceReader presences, IOptions<PagesOptions> options)
{
    // Names alone decide the order, so that no row of an open list moves when a state changes. The script uses the same order.
    private static readonly Comparer<Person> s_order = Comparer<Person>.Create((a, b) =>
        CultureInfo.InvariantCulture.CompareInfo.Compare(a.Name, b.Name, CompareOptions.IgnoreCase));

    /// <summary>The newest other users that the viewer may see. <see langword="null"/> if the list is off.</summary>
    /// <param name="viewer">The viewing user.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async Task<IReadOnlyList<Person>?> ReadAsync(Guid viewer, CancellationToken cancellationToken)
    {
        if (options.Value.ListPeople != true) return null;

        var visible = new List<UserProfile>();
        foreach (var user in await grains.GetGrain<IPeopleGrain>(0).ListNewestAsync())
        {
            if (user.Id != viewer && await policy.MaySeeAsync(viewer, user.Id, cancellationToken)) visible.Add(user);
        }

        var shown = await presences.ReadAsync(viewer, [.. visible.Select(user => user.Id)], cancellationToken);
        return [.. visible.Zip(shown, (user, presence) => new Person(user.Id, user.Name, user.Avatar, presence)).Order(s_order)];
    }
}

/// <summary>A person in the list.</summary>
/// <param name="Id">User id.</param>
/// <param name="Name">Display name.</param>
/// <param name="Avatar">Picture URL, or <see langword="null"/>.</param>
/// <param name="Presence">The presence when the list was made. The script updates it.</param>
public sealed record Person(Guid Id, string Name, string? Avatar, PresenceResponse Presence)
{
    /// <summary>Whether the person is visibly connected.</summary>
    public bool IsHere => Presence.Status != "offline";
}
