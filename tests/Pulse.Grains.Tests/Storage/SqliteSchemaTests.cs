using Pulse.Grains.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

public sealed class SqliteSchemaTests() : SchemaContract(new SqliteStores())
{
    [Fact]
    public async Task Apply_DirectoryMissing_MakesIt()
    {
        var directory = Path.Combine(Path.GetTempPath(), $"pulse-test-{Guid.NewGuid():N}");
        var stores = new SqliteStores();
        await using (var services = stores.StartProcess(new StoreOptions { SqlitePath = Path.Combine(directory, "data", "pulse.db") }))
        {
            await services.ApplyPulseSchemaAsync();
        }

        Assert.True(File.Exists(Path.Combine(directory, "data", "pulse.db")));
        Directory.Delete(directory, recursive: true);
    }
}
