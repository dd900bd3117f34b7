namespace Pulse.Grains.Storage;

/// <summary>The bounds of one <see cref="BatchWriter{TItem,TAnswer}"/>.</summary>
/// <param name="BatchSize">The most items in one statement.</param>
/// <param name="QueueLimit">The most items that wait for their answers; further ones are refused at once.</param>
/// <param name="Patience">How long a caller waits for the answer.</param>
internal sealed record BatchSettings(int BatchSize, int QueueLimit, TimeSpan Patience);
