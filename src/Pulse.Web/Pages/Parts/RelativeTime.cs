namespace Pulse.Web.Pages.Parts;

/// <summary>Past times as text. <c>time.ts</c> produces the same in the browser.</summary>
internal static class RelativeTime
{
    /// <summary>
    /// "just now", "3 minutes ago", "2 days ago", and after 30 days the date. A future time, which differing clocks can cause, is "just
    /// now".
    /// </summary>
    public static string Words(DateTimeOffset at, DateTimeOffset now, PageTexts texts) => (now - at) switch
    {
        { TotalMinutes: < 1 } => texts["just now"],
        { TotalHours: < 1 } age => Count((int)age.TotalMinutes, texts, "1 minute ago", "{0} minutes ago"),
        { TotalDays: < 1 } age => Count((int)age.TotalHours, texts, "1 hour ago", "{0} hours ago"),
        { TotalDays: < 30 } age => Count((int)age.TotalDays, texts, "1 day ago", "{0} days ago"),
        _ => at.UtcDateTime.ToString(texts["d MMMM yyyy"], PageTexts.Culture),
    };

    private static string Count(int number, PageTexts texts, string one, string many) => number == 1 ? texts[one] : texts[many, number];
}
