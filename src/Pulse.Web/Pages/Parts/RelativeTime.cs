using System.Globalization;

namespace Pulse.Web.Pages.Parts;

/// <summary>Past times as text. <c>time.ts</c> produces the same in the browser.</summary>
internal static class RelativeTime
{
    /// <summary>
    /// "just now", "3 minutes ago", "2 days ago", and after 30 days the date. A future time, which differing clocks can cause, is "just
    /// now".
    /// </summary>
    public static string Words(DateTimeOffset at, DateTimeOffset now) => (now - at) switch
    {
        { TotalMinutes: < 1 } => "just now",
        { TotalHours: < 1 } age => Count((int)age.TotalMinutes, "minute"),
        { TotalDays: < 1 } age => Count((int)age.TotalHours, "hour"),
        { TotalDays: < 30 } age => Count((int)age.TotalDays, "day"),
        _ => at.UtcDateTime.ToString("d MMMM yyyy", CultureInfo.InvariantCulture),
    };

    private static string Count(int number, string unit) => number == 1 ? $"1 {unit} ago" : $"{number} {unit}s ago";
}
