using System.Globalization;

namespace Pulse.Grains.Storage;

/// <summary>
/// The text format of ids and times in the SQLite file. The driver's own formats differ: upper-case ids, times of varying length.
/// </summary>
internal static class SqliteText
{
    /// <summary>Lower case, hyphenated.</summary>
    public static string From(Guid id) => id.ToString("D");

    /// <summary>UTC to the microsecond, as PostgreSQL stores it. Always six decimals, so that texts sort like times.</summary>
    public static string From(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>As <see cref="From(DateTimeOffset)"/>, or the driver's NULL.</summary>
    public static object From(DateTimeOffset? time) => time is { } value ? From(value) : DBNull.Value;
}
