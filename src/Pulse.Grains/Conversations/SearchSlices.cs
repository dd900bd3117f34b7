using System.Globalization;

namespace Pulse.Grains.Conversations;

/// <summary>
/// The parts of time that a search reads one after the other, the newest first. Each is longer than the one before, so that a common
/// word costs a look at the newest messages, and a rare word a handful of statements.
/// </summary>
internal static class SearchSlices
{
    private static readonly DateTimeOffset s_first = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);
    private static readonly (TimeSpan Unit, int Count)[] s_widths = [(s_hour, 3), (s_hour, 24), (s_day, 8), (s_day, 64), (s_day, 512)];

    /// <summary>The slices of the messages from <paramref name="oldest"/> to <paramref name="newest"/>, both included.</summary>
    public static IEnumerable<SearchSlice> Of(DateTimeOffset newest, DateTimeOffset oldest)
    {
        // PostgreSQL keeps microseconds.
        var until = newest.AddTicks(TimeSpan.TicksPerMicrosecond);
        foreach (var (unit, count) in s_widths)
        {
            if (until <= oldest) yield break;
            var last = Number(until.AddTicks(-1), unit);
            var first = last - count + 1;
            var prefix = unit == s_hour ? 'h' : 'd';
            var from = s_first + (first * unit);
            yield return new(
                from, until, string.Join('|', Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"':{prefix}{last - i}'"))));
            until = from;
        }

        if (until > oldest) yield return new(DateTimeOffset.MinValue, until, "");
    }

    private static long Number(DateTimeOffset at, TimeSpan unit) => (long)Math.Floor((at - s_first) / unit);
}

/// <summary>A part of time.</summary>
/// <param name="From">Its beginning.</param>
/// <param name="Until">Its end, exclusive.</param>
/// <param name="Lexemes">The hours or days of <c>007_search.sql</c>, one of which a message must have; empty for everything before the end.</param>
internal sealed record SearchSlice(DateTimeOffset From, DateTimeOffset Until, string Lexemes);
