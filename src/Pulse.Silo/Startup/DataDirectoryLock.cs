using Pulse.Grains.Storage;

namespace Pulse.Silo.Startup;

/// <summary>
/// Limits the embedded stores to one process. Two processes would have separate grains for the same users, which would not see each other's
/// writes.
/// </summary>
/// <remarks>The operating system releases the lock when the process ends, even after a crash.</remarks>
internal sealed class DataDirectoryLock(string directory) : IHostedService, IDisposable
{
    // EAGAIN on Linux and on macOS, and ERROR_SHARING_VIOLATION on Windows.
    private static readonly int[] s_isLocked = [11, 35, unchecked((int)0x80070020)];

    private FileStream? _lock;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        SqliteDatabase.MakeDirectory(directory);
        try
        {
            _lock = new(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (s_isLocked.Contains(exception.HResult))
        {
            throw new StartException(
                $"Pulse:DataDirectory is {directory}, which another Pulse process uses. Stop that process, or give this one its own directory: --Pulse:DataDirectory={directory}-2");
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _lock?.Dispose();
}
