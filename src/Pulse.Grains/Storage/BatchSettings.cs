namespace Pulse.Grains.Storage;

/// <summary>The bounds of one <see cref="BatchWriter{TItem,TAnswer}"/>.</summary>
/// <param name="BatchSize">Maximum number of items in one statement.</param>
/// <param name="QueueLimit">Maximum number of items that wait for their answers. Further items are refused at once.</param>
/// <param name="Timeout">Timeout of a caller.</param>
internal sealed record BatchSettings(int BatchSize, int QueueLimit, TimeSpan Timeout);
