using System.Buffers;
using System.Globalization;
using System.Text;
using Pulse.Identity;

namespace Pulse.Web.Profiles;

/// <summary>Rules of display names and avatars. Each check returns the broken rule as a sentence, or <see langword="null"/>.</summary>
internal static class ProfileRules
{
    /// <summary>
    /// Maximum name length in UTF-16 units, the strictest way to count characters, so that all other parts of Pulse accept it.
    /// </summary>
    public const int MaxNameLength = 200;

    /// <summary>Maximum length of an avatar URL in UTF-16 units.</summary>
    public const int MaxAvatarLength = 2048;

    /// <summary>The rule of <see cref="EmailAddress"/> as a sentence.</summary>
    public const string EmailMessage = "The e-mail must be a single address such as ada@example.com, at most 254 characters.";

    private static readonly SearchValues<char> s_marks = SearchValues.Create("\u200E\u200F\u061C");

    // Characters that RFC 3986 forbids in a URL and that have a meaning in markup or browsers.
    private static readonly SearchValues<char> s_notInUrls = SearchValues.Create(" \"<>\\^`{|}");

    /// <summary>1 to <see cref="MaxNameLength"/> characters, at least one of them visible, and none a control character.</summary>
    public static string? NameFault(string? name) => name switch
    {
        null => null,
        { Length: > MaxNameLength } => $"The name must be at most {MaxNameLength} characters (UTF-16 units).",
        _ when HasControls(WithoutMarks(name)) => "The name must not hold control characters, line breaks, text direction controls or broken surrogates.",
        _ when !HasVisible(name) => "The name must hold something other than white space.",
        _ => null,
    };

    /// <summary>An absolute https URL with a host, at most <see cref="MaxAvatarLength"/> characters.</summary>
    public static string? AvatarFault(string? avatar)
    {
        if (avatar is null) return null;
        if (avatar.Length > MaxAvatarLength) return $"The avatar must be at most {MaxAvatarLength} characters.";

        var isUrl = !HasControls(avatar) && !avatar.AsSpan().ContainsAny(s_notInUrls)
            && avatar.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
            && Uri.TryCreate(avatar, UriKind.Absolute, out var uri) && uri.Host.Length > 0;
        return isUrl ? null : "The avatar must be an absolute https URL: pages load no pictures over http.";
    }

    /// <summary>
    /// The name in its stored form, without direction marks, which are invisible and change how the text around the name reads.
    /// </summary>
    /// <returns><see langword="null"/> if the name is missing or breaks a rule.</returns>
    /// <remarks>
    /// Keyboards and other systems put U+200E, U+200F and U+061C before names, so such a name is accepted without them. An override or an
    /// isolate (see <see cref="NameFault"/>) changes the text after it, and makes the name invalid.
    /// </remarks>
    public static string? UsableName(string? name) => name is null || NameFault(name) is not null ? null : WithoutMarks(name);

    /// <summary>The text without direction marks. See <see cref="UsableName"/>.</summary>
    public static string WithoutMarks(string name) => name.AsSpan().IndexOfAny(s_marks) < 0 ? name : string.Concat(name.Where(c => !s_marks.Contains(c)));

    private static bool HasVisible(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (!Rune.IsWhiteSpace(rune) && Rune.GetUnicodeCategory(rune) != UnicodeCategory.Format) return true;
        }

        return false;
    }

    /// <summary>Whether the text contains control characters, line breaks, text direction controls or broken surrogates.</summary>
    public static bool HasControls(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            // Decoded by hand, because an enumeration would report an unpaired surrogate as the valid character U+FFFD.
            if (Rune.DecodeFromUtf16(text, out var rune, out var length) != OperationStatus.Done || IsControl(rune)) return true;
            text = text[length..];
        }

        return false;
    }

    // Direction controls (Unicode's Bidi_Control) let a name change how the text around it reads. Marks are removed from names before.
    // Joiners are allowed, because scripts and emoji need them.
    private static bool IsControl(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || rune.Value is 0x061C or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}
