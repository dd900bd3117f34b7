namespace Pulse.Grains.Storage;

/// <summary>
/// The database is available, but a lock or a slow row held the statement longer than its <see cref="BatchLimits"/>. Nothing was written.
/// </summary>
/// <remarks>Stays inside of <see cref="BatchWriter{TItem,TAnswer}"/>: callers get a <see cref="StoreUnavailableException"/>.</remarks>
internal sealed class BatchBlockedException(string message) : Exception(message);
