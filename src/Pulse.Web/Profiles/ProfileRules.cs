using System.Buffers;
using System.Globalization;
using System.Text;
using Pulse.Identity;

namespace Pulse.Web.Profiles;

/// <summary>What a display name and an avatar may be. Each check gives the broken rule as a sentence, or <see langword="null"/>.</summary>
internal static class ProfileRules
{
    /// <summary>Longest name in UTF-16 units: of all ways to count characters the strictest, so that no other part of Pulse can find it too long.</summary>
    public const int MaxNameLength = 200;

    /// <summary>Longest avatar URL in UTF-16 units.</summary>
    public const int MaxAvatarLength = 2048;

    /// <summary>The rule of <see cref="EmailAddress"/> as a sentence.</summary>
    public const string EmailMessage = "The e-mail must be a single address such as ada@example.com, at most 254 characters.";

    private static readonly SearchValues<char> s_marks = SearchValues.Create("\u200E\u200F\u061C");

    // Characters that RFC 3986 allows nowhere in a URL and that markup or browsers give a meaning of their own.
    private static readonly SearchValues<char> s_notInUrls = SearchValues.Create(" \"<>\\^`{|}");

    /// <summary>1 to <see cref="MaxNameLength"/> characters, something visible among them, no control characters.</summary>
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

    /// <summary>The name as it is stored: without direction marks, which are invisible and change how the text around the name reads.</summary>
    /// <returns><see langword="null"/> for a name that breaks a rule, and for none.</returns>
    /// <remarks>
    /// U+200E, U+200F and U+061C are put before names by keyboards and by other systems, so a name that has one is good without it. An override or an
    /// isolate (see <see cref="NameFault"/>) rewrites the text after it, and has no place in a name.
    /// </remarks>
    public static string? UsableName(string? name) => name is null || NameFault(name) is not null ? null : WithoutMarks(name);

    /// <summary>The text without direction marks; see <see cref="UsableName"/>.</summary>
    public static string WithoutMarks(string name) => name.AsSpan().IndexOfAny(s_marks) < 0 ? name : string.Concat(name.Where(c => !s_marks.Contains(c)));

    private static bool HasVisible(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (!Rune.IsWhiteSpace(rune) && Rune.GetUnicodeCategory(rune) != UnicodeCategory.Format) return true;
        }

        return false;
    }

    /// <summary>Whether the text holds control characters, line breaks, text direction controls or broken surrogates.</summary>
    public static bool HasControls(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            // Decoded by hand: enumerating would show an unpaired surrogate as the honest character U+FFFD.
            if (Rune.DecodeFromUtf16(text, out var rune, out var length) != OperationStatus.Done || IsControl(rune)) return true;
            text = text[length..];
        }

        return false;
    }

    // Direction controls (Unicode's Bidi_Control) let a name rewrite how the text around it reads; marks are taken out of names before. Joiners stay:
    // scripts and emoji need them.
    private static bool IsControl(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || rune.Value is 0x061C or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}
