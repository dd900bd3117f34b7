using Pulse.Grains.Storage;

namespace Pulse.Grains.Tests.Storage;

/// <summary>The embedded stores on a temporary file.</summary>
public sealed class SqliteStores : StoresFixture
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"pulse-test-{Guid.NewGuid():N}");

    // The directory below does not exist: making it is the stores' task.
    public override StoreOptions Options => new() { SqlitePath = Path.Combine(_directory, "data", "pulse.db") };

    protected override Task CreateAsync() => Task.CompletedTask;

    protected override Task DropAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }
}
