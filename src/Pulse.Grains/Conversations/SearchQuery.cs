using System.Globalization;
using System.Text;

namespace Pulse.Grains.Conversations;

/// <summary>What a user searches for, as terms of words. Every text is a query: whatever is neither a word nor a quotation mark only divides words.</summary>
/// <remarks>
/// A text matches if it holds all terms. The words of one term follow each other: those between quotation marks, and those of one
/// piece without blanks, such as <c>e-mail</c>. The last word may be the beginning of a word of the text, unless a quotation mark
/// closes it.
/// </remarks>
internal sealed class SearchQuery
{
    // 1,800 bytes in UTF-8 at most. PostgreSQL indexes no word of more than 2,047 bytes, and would leave it out of a query.
    private const int MaxWordLength = 600;

    private readonly List<string[]> _terms = [];
    private readonly bool _endsWithPrefix;

    private SearchQuery(string text)
    {
        var isQuoted = false;
        var start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            var isMark = i < text.Length && text[i] is '"' or '“' or '”' or '„';
            if (i < text.Length && !isMark && (isQuoted || !char.IsWhiteSpace(text[i]))) continue;
            var words = Array.ConvertAll(Words(text[start..i]), Cut);
            if (words.Length > 0)
            {
                _terms.Add(words);
                _endsWithPrefix = !(isQuoted && isMark);
            }

            start = i + 1;
            if (isMark) isQuoted = !isQuoted;
        }
    }

    /// <summary>Whether the query lacks words, so that it matches no text.</summary>
    public bool IsEmpty => _terms.Count == 0;

    /// <summary>Reads a query.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    public static SearchQuery Parse(string text) => new(text);

    /// <summary>The words of a text, in lower case: runs of letters, digits and marks.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    public static string[] Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();

        // Normalize refuses this one noncharacter of well-formed text.
        foreach (var rune in text.Replace('\uFFFE', ' ').Normalize(NormalizationForm.FormKC).EnumerateRunes())
        {
            if (IsOfWord(rune))
            {
                word.Append(Rune.ToLowerInvariant(rune).ToString());
                continue;
            }

            End();
        }

        End();
        return [.. words];

        void End()
        {
            if (word.Length > 0) words.Add(word.ToString());
            word.Clear();
        }
    }

    /// <summary>The query for <c>to_tsquery</c>. Words are free of quotation marks, so they need no escaping.</summary>
    public string ToPostgres() =>
        Join(" & ", (words, isPrefix) => $"({string.Join(" <-> ", words.Select(word => $"'{word}'"))}{(isPrefix ? ":*" : "")})");

    /// <summary>The query for FTS5.</summary>
    public string ToSqlite() => Join(" AND ", (words, isPrefix) => $"\"{string.Join(' ', words)}\"{(isPrefix ? " *" : "")}");

    /// <summary>The part of a text around its first match, at most 200 characters.</summary>
    public string Snippet(string text)
    {
        const int Length = 160;
        if (text.Length <= Length) return text;

        var at = FirstMatch(text);
        var start = Math.Max(0, Math.Min(at - (Length / 3), text.Length - Length));
        var end = Math.Min(text.Length, start + Length);

        // Moves into the text to the next blank that is near, and never parts a surrogate pair.
        if (start > 0) start = NextBlank(text, start, 16) is var blank and >= 0 && blank < at ? blank + 1 : start;
        if (end < text.Length) end = PreviousBlank(text, end, 16) is var last and >= 0 && last > at ? last : end;
        if (start > 0 && char.IsLowSurrogate(text[start])) start++;
        if (end < text.Length && char.IsLowSurrogate(text[end])) end--;
        return $"{(start > 0 ? "…" : "")}{text[start..end]}{(end < text.Length ? "…" : "")}";
    }

    private static string Cut(string word) =>
        word.Length <= MaxWordLength ? word : word[..(char.IsHighSurrogate(word[MaxWordLength - 1]) ? MaxWordLength - 1 : MaxWordLength)];

    /// <summary>The place of the first match of the longest term, which is the rarest in most texts. Its words follow each other, as in the index.</summary>
    private int FirstMatch(string text)
    {
        var words = WordsAt(text);
        foreach (var (term, index) in _terms.Select((term, index) => (term, index)).OrderByDescending(item => item.term.Sum(word => word.Length)))
        {
            var isPrefix = _endsWithPrefix && index == _terms.Count - 1;
            for (var i = 0; i + term.Length <= words.Count; i++)
            {
                if (IsMatch(words, i, term, isPrefix)) return words[i].At;
            }
        }

        return 0;
    }

    private static bool IsMatch(List<(int At, string Word)> words, int start, string[] term, bool isPrefix)
    {
        for (var i = 0; i < term.Length; i++)
        {
            var word = words[start + i].Word;
            if (!(isPrefix && i == term.Length - 1 ? word.StartsWith(term[i], StringComparison.Ordinal) : word == term[i])) return false;
        }

        return true;
    }

    /// <summary>The words of a text and their places, spelt as <see cref="Words"/> spells them.</summary>
    private static List<(int At, string Word)> WordsAt(string text)
    {
        var words = new List<(int, string)>();
        var start = -1;
        for (var i = 0; i <= text.Length;)
        {
            var rune = i < text.Length ? Rune.GetRuneAt(text, i) : default;
            if (i < text.Length && IsOfWord(rune))
            {
                if (start < 0) start = i;
            }
            else if (start >= 0)
            {
                words.AddRange(Words(text[start..i]).Select(word => (start, Cut(word))));
                start = -1;
            }

            i += i < text.Length ? rune.Utf16SequenceLength : 1;
        }

        return words;
    }

    private static int NextBlank(string text, int from, int within) =>
        text.AsSpan(from, Math.Min(within, text.Length - from)).IndexOfAny(' ', '\n') is var at and >= 0 ? from + at : -1;

    private static int PreviousBlank(string text, int to, int within) =>
        text.AsSpan(to - within, within).LastIndexOfAny(' ', '\n') is var at and >= 0 ? to - within + at : -1;

    private string Join(string and, Func<string[], bool, string> term) =>
        string.Join(and, _terms.Select((words, i) => term(words, _endsWithPrefix && i == _terms.Count - 1)));

    private static bool IsOfWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
            or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => true,
        _ => false,
    };
}
