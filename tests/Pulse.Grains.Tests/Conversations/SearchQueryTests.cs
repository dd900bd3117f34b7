using Pulse.Grains.Conversations;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

public sealed class SearchQueryTests
{
    [Theory]
    // A term is found only as a whole. Its first word alone, or a part of another word, is skipped.
    [InlineData("\"red car\"", "red paint", "the Red Car", "the Red Car")]
    [InlineData("e-mail", "e or mail", "by E-Mail", "by E-Mail")]
    [InlineData("\"plan\" x", "planet", "the plan x", "the plan x")]
    // The last word may be a beginning, and is none inside of a word.
    [InlineData("pla", "explain", "some plans", "some plans")]
    // Of several terms, the longest one is shown.
    [InlineData("a migration", "a thing", "a migration", "a migration")]
    [InlineData("migration of", "of course", "a migration of", "a migration of")]
    // Texts are spelt as the index spells them.
    [InlineData("fine", "refine", "ﬁne weather", "ﬁne weather")]
    [InlineData("café", "cafes", "cafe\u0301 now", "cafe\u0301 now")]
    // A text that lacks this form is shown from its beginning.
    [InlineData("absent", "begin", "the end", "begin")]
    public void Snippet_ShowsTheMatch(string query, string near, string match, string expected)
    {
        var filler = string.Join(' ', Enumerable.Repeat("filler", 60));

        Assert.Contains(expected, SearchQuery.Parse(query).Snippet($"{near} {filler} {match} {filler}"), StringComparison.Ordinal);
    }
}
