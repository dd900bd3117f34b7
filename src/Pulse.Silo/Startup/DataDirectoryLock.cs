using Pulse.Grains.Storage;

namespace Pulse.Silo.Startup;

/// <summary>Keeps the embedded stores to one process: each would have grains of its own for the same users, and neither would see the other's writes.</summary>
/// <remarks>The operating system releases the lock when the process ends, however it ends.</remarks>
internal sealed class DataDirectoryLock(string directory) : IHostedService, IDisposable
{
    private FileStream? _lock;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        SqliteDatabase.MakeDirectory(directory);
        try
        {
            _lock = new(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new StartException(
                $"Pulse:DataDirectory is {directory}, which another Pulse uses. End that one, or give this one its own: --Pulse:DataDirectory={directory}-2");
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _lock?.Dispose();
}
