namespace Pulse.Grains.Storage;

/// <summary>Instants as the databases keep them.</summary>
internal static class Instant
{
    /// <summary>Cut to whole microseconds, PostgreSQL's resolution: what was written and what is read back are then equal.</summary>
    public static DateTimeOffset Truncate(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
