namespace Pulse.Grains.Storage;

/// <summary>How long the database may work on one statement of a <see cref="BatchWriter{TItem,TAnswer}"/>.</summary>
/// <param name="Lock">The longest wait for one lock.</param>
/// <param name="Statement">The longest time for the statement.</param>
internal readonly record struct BatchLimits(TimeSpan Lock, TimeSpan Statement)
{
    /// <summary>For a statement with the items of several callers: many times what it takes when nothing blocks it.</summary>
    public static readonly BatchLimits Shared = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(300));

    private static readonly TimeSpan LockSlice = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// For a statement with the item of one caller, who still waits that long. It may be repeated when a lock has held it for a slice of
    /// that.
    /// </summary>
    public static BatchLimits Alone(TimeSpan remaining) => new(remaining < LockSlice ? remaining : LockSlice, remaining);
}
