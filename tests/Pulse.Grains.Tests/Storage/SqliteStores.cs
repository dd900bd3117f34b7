using Pulse.Grains.Storage;

namespace Pulse.Grains.Tests.Storage;

/// <summary>The embedded stores on a temporary file.</summary>
public sealed class SqliteStores : StoresFixture
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"pulse-test-{Guid.NewGuid():N}");

    public override StoreOptions Options => new() { SqlitePath = Path.Combine(_directory, "pulse.db") };

    protected override Task CreateAsync()
    {
        Directory.CreateDirectory(_directory);
        return Task.CompletedTask;
    }

    protected override Task DropAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }
}
