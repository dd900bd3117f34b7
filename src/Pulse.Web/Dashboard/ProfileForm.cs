using Pulse.Users;
using Pulse.Web.Pages;
using Pulse.Web.Profiles;

namespace Pulse.Web.Dashboard;

/// <summary>Name and picture as entered, and their faults.</summary>
public sealed record ProfileForm(string Name, string Avatar)
{
    /// <summary>The stored profile, to be edited.</summary>
    public static ProfileForm From(UserProfile user) => new(user.Name, user.Avatar ?? "");

    /// <summary>A submitted form. Missing fields count as empty.</summary>
    public static ProfileForm From(IFormCollection form) => new(form["name"].ToString().Trim(), form["avatar"].ToString().Trim());

    /// <summary>
    /// Whether the picture is the stored one, which is kept even if it breaks a present rule, because older rows have pictures over http.
    /// </summary>
    public bool KeepsAvatar { get; init; }

    /// <summary>The rule that <see cref="Name"/> breaks.</summary>
    public string? NameFault => ProfileRules.NameFault(Name);

    /// <summary>The rule that <see cref="Avatar"/> breaks. An empty value is valid and removes the picture.</summary>
    public Words? AvatarFault
    {
        get
        {
            if (KeepsAvatar || Avatar.Length == 0) return null;
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

    private bool IsShown(string host) => Hosts.Count == 0 || Hosts.Any(shown =>
        shown.StartsWith("*.", StringComparison.Ordinal) ? host.EndsWith(shown[1..], StringComparison.OrdinalIgnoreCase) : host.Equals(shown, StringComparison.OrdinalIgnoreCase));

    /// <summary>The update to store.</summary>
    public ProfileUpdate ToUpdate() => KeepsAvatar
        ? new() { Name = ProfileRules.UsableName(Name), EditsName = true }
        : Avatar.Length == 0
            ? new() { Name = ProfileRules.UsableName(Name), EditsName = true, RemoveAvatar = true, EditsAvatar = true }
            : new() { Name = ProfileRules.UsableName(Name), EditsName = true, Avatar = Avatar, EditsAvatar = true };
}
