namespace Pulse.Grains.Storage;

/// <summary>
/// The database is available, but a lock or a slow row delayed the statement beyond its <see cref="BatchLimits"/>. The database is
/// unchanged.
/// </summary>
/// <remarks>Handled inside <see cref="BatchWriter{TItem,TAnswer}"/>. Callers get a <see cref="StoreUnavailableException"/>.</remarks>
internal sealed class BatchBlockedException(string message) : Exception(message);
