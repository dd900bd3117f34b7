namespace Pulse.Grains.Storage;

/// <summary>Instants in the resolution of the databases.</summary>
internal static class Instant
{
    /// <summary>Truncates to whole microseconds, PostgreSQL's resolution, so that a value is equal after a write and a read.</summary>
    public static DateTimeOffset Truncate(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
