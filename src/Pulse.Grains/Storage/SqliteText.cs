using System.Globalization;

namespace Pulse.Grains.Storage;

/// <summary>The one spelling of ids and times in the SQLite file. The driver's own differ: upper-case ids, times of varying length.</summary>
internal static class SqliteText
{
    /// <summary>Lower case, hyphenated.</summary>
    public static string From(Guid id) => id.ToString("D");

    /// <summary>UTC to the microsecond, as PostgreSQL keeps it; six decimals always, so that texts order as times do.</summary>
    public static string From(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>As <see cref="From(DateTimeOffset)"/>, or what the driver takes for NULL.</summary>
    public static object From(DateTimeOffset? time) => time is { } value ? From(value) : DBNull.Value;
}
