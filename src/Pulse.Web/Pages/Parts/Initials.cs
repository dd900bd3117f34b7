using System.Globalization;

namespace Pulse.Web.Pages.Parts;

/// <summary>Abbreviates a name to at most two letters.</summary>
internal static class Initials
{
    /// <summary>First letters of the first and last word, in upper case. A name without letters and digits gives its first
    /// character, for example an emoji.</summary>
    public static string Of(string name)
    {
        var words = name.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(First).Where(letter => letter.Length > 0).ToArray();
        return words.Length switch
        {
            0 => StringInfo.GetNextTextElement(name.Trim()),
            1 => words[0],
            _ => words[0] + words[^1],
        };
    }

    // Whole text elements, so that a letter keeps its marks and an emoji remains complete.
    private static string First(string word)
    {
        for (var at = 0; at < word.Length; at += StringInfo.GetNextTextElementLength(word, at))
        {
            var element = StringInfo.GetNextTextElement(word, at);
            if (System.Text.Rune.TryGetRuneAt(element, 0, out var rune) && System.Text.Rune.IsLetterOrDigit(rune)) return element.ToUpperInvariant();
        }

        return "";
    }
}
