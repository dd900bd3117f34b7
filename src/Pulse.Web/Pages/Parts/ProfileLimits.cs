using Pulse.Web.Users;

namespace Pulse.Web.Pages.Parts;

/// <summary>The limits of <see cref="ProfileRules"/> as attributes of input elements.</summary>
internal static class ProfileLimits
{
    public static readonly string Name = $"{ProfileRules.MaxNameLength}";
    public static readonly string Avatar = $"{ProfileRules.MaxAvatarLength}";
}
