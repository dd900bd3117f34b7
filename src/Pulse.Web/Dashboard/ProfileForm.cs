using Pulse.Users;
using Pulse.Web.Pages;
using Pulse.Web.Profiles;

namespace Pulse.Web.Dashboard;

/// <summary>Name and picture as entered, and their faults.</summary>
public sealed record ProfileForm(string Name, string Avatar)
{
    /// <summary>The stored profile, to be edited.</summary>
    public static ProfileForm From(UserProfile user) => new(user.Name, user.Avatar ?? "") { ShownName = user.Name, ShownAvatar = user.Avatar ?? "" };

    /// <summary>A submitted form. Missing fields count as empty.</summary>
    public static ProfileForm From(IFormCollection form) => new(form["name"].ToString().Trim(), form["avatar"].ToString().Trim())
    {
        ShownName = form["shownName"],
        ShownAvatar = form["shownAvatar"],
    };

    /// <summary>The name that the page had when it was rendered. <see langword="null"/> if the field is missing.</summary>
    public string? ShownName { get; init; }

    /// <summary>As <see cref="ShownName"/>, for the picture.</summary>
    public string? ShownAvatar { get; init; }

    /// <summary>The rule that <see cref="Name"/> breaks.</summary>
    public string? NameFault => EditsName ? ProfileRules.NameFault(Name) : null;

    /// <summary>The rule that <see cref="Avatar"/> breaks. An empty value is valid and removes the picture.</summary>
    public Words? AvatarFault
    {
        get
        {
            // Older rows have pictures over http.
            if (!EditsAvatar || Avatar.Length == 0) return null;
            if (ProfileRules.AvatarFault(Avatar) is not null)
                return (Words)$"The picture must be an https address, at most {ProfileRules.MaxAvatarLength} characters: pages load no pictures over http.";
            if (IsShown(new Uri(Avatar).Host)) return null;
            var hosts = string.Join(", ", Hosts);
            return (Words)$"This site shows no pictures of that host. It shows those of {hosts}.";
        }
    }

    /// <summary>The hosts whose pictures the pages show; empty for any. See <see cref="PagesOptions.PictureHosts"/>.</summary>
    public IReadOnlyCollection<string> Hosts { get; init; } = [];

    /// <summary>Whether a field is invalid.</summary>
    public bool HasFault => NameFault is not null || AvatarFault is not null;

    // An unchanged field is no edit: the page may be older than the stored value.
    private bool EditsName => Name != ShownName?.Trim();
    private bool EditsAvatar => Avatar != ShownAvatar?.Trim();

    private bool IsShown(string host) => Hosts.Count == 0 || Hosts.Any(shown =>
        shown.StartsWith("*.", StringComparison.Ordinal) ? host.EndsWith(shown[1..], StringComparison.OrdinalIgnoreCase) : host.Equals(shown, StringComparison.OrdinalIgnoreCase));

    /// <summary>The update to store: the fields that the user has edited.</summary>
    public ProfileUpdate ToUpdate() => new()
    {
        Name = EditsName ? ProfileRules.UsableName(Name) : null,
        EditsName = EditsName,
        Avatar = EditsAvatar && Avatar.Length > 0 ? Avatar : null,
        RemoveAvatar = EditsAvatar && Avatar.Length == 0,
        EditsAvatar = EditsAvatar,
    };
}
