using System.Globalization;
using Microsoft.Extensions.Options;
using Pulse.Users;
using Pulse.Web.Pages;
using Pulse.Web.Presence;

namespace Pulse.Web.Dashboard;

/// <summary>Whom the dashboard lists.</summary>
internal sealed class PeopleReader(IGrainFactory grains, IPresencePolicy policy, PresenceReader presences, IOptions<PagesOptions> options)
{
    // Whoever is here comes first, by name; then the others, those seen last before those of long ago. The script sorts the same way.
    private static readonly Comparer<Person> s_order = Comparer<Person>.Create((a, b) =>
        a.IsHere != b.IsHere ? b.IsHere.CompareTo(a.IsHere)
        : !a.IsHere && a.Presence.LastSeen != b.Presence.LastSeen ? Nullable.Compare(b.Presence.LastSeen, a.Presence.LastSeen)
        : CultureInfo.InvariantCulture.CompareInfo.Compare(a.Name, b.Name, CompareOptions.IgnoreCase));

    /// <summary>The users, newest first, whom the viewer may see, without the viewer; <see langword="null"/> where nobody is listed.</summary>
    /// <param name="viewer">Who looks.</param>
    /// <param name="cancellationToken">Gives up.</param>
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

/// <summary>Somebody on the list.</summary>
/// <param name="Id">User id.</param>
/// <param name="Name">Display name.</param>
/// <param name="Avatar">Picture URL, or <see langword="null"/>.</param>
/// <param name="Presence">When the list was made; the script keeps it current.</param>
public sealed record Person(Guid Id, string Name, string? Avatar, PresenceResponse Presence)
{
    /// <summary>Whether they are connected, as far as others may know.</summary>
    public bool IsHere => Presence.Status != "offline";
}
