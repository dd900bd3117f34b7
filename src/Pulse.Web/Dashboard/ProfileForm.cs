using Pulse.Users;
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
    public string? AvatarFault => KeepsAvatar || Avatar.Length == 0 ? null : ProfileRules.AvatarFault(Avatar);

    /// <summary>Whether a field is invalid.</summary>
    public bool HasFault => NameFault is not null || AvatarFault is not null;

    /// <summary>The update to store.</summary>
    public ProfileUpdate ToUpdate() => KeepsAvatar
        ? new() { Name = ProfileRules.UsableName(Name), EditsName = true }
        : Avatar.Length == 0
            ? new() { Name = ProfileRules.UsableName(Name), EditsName = true, RemoveAvatar = true, EditsAvatar = true }
            : new() { Name = ProfileRules.UsableName(Name), EditsName = true, Avatar = Avatar, EditsAvatar = true };
}
