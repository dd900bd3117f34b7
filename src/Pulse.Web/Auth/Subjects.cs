using System.Text;

namespace Pulse.Web.Auth;

/// <summary>The rule for a person's id at a provider or a trusted issuer.</summary>
internal static class Subjects
{
    /// <summary>OpenID Connect Core 1.0 section 2.</summary>
    public const int MaxLength = 255;

    /// <summary>
    /// Whether the id has a valid length and no control characters. PostgreSQL cannot store U+0000, and a line feed would break log lines.
    /// </summary>
    public static bool IsUsable(string? subject) =>
        !string.IsNullOrWhiteSpace(subject) && subject.Length <= MaxLength
        && !subject.EnumerateRunes().Any(rune => Rune.IsControl(rune) || rune == Rune.ReplacementChar);
}
