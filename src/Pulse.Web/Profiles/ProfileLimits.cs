namespace Pulse.Web.Profiles;

/// <summary>The limits of <see cref="ProfileRules"/> as attributes of input elements.</summary>
internal static class ProfileLimits
{
    public static readonly string Name = $"{ProfileRules.MaxNameLength}";
    public static readonly string Avatar = $"{ProfileRules.MaxAvatarLength}";
}
