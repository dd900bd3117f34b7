namespace Pulse.Grains.Storage;

/// <summary>Time limits of one statement of a <see cref="BatchWriter{TItem,TAnswer}"/>.</summary>
/// <param name="Lock">The longest wait for one lock.</param>
/// <param name="Statement">The longest time for the statement.</param>
internal readonly record struct BatchLimits(TimeSpan Lock, TimeSpan Statement)
{
    /// <summary>For a statement with the items of several callers: many times the duration of an unblocked statement.</summary>
    public static readonly BatchLimits Shared = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(300));

    private static readonly TimeSpan s_lockSlice = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// For a statement with the item of one caller that still waits for the given time. A lock wait ends after a slice, and the statement
    /// may then be repeated.
    /// </summary>
    public static BatchLimits Alone(TimeSpan remaining) => new(remaining < s_lockSlice ? remaining : s_lockSlice, remaining);
}
