using Pulse.Grains.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

/// <summary>How the schema is applied, on any database.</summary>
/// <param name="database">Made for each test, empty.</param>
public abstract class SchemaContract(StoresFixture database) : IAsyncLifetime
{
    private const string CountScripts = "SELECT count(*) FROM schema_versions";

    public Task InitializeAsync() => database.InitializeEmptyAsync();

    public Task DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task Apply_Again_ChangesNothing()
    {
        await database.Database.ApplySchemaAsync();
        var before = await database.ExecuteAsync("SELECT min(applied_at) FROM schema_versions");

        await database.Database.ApplySchemaAsync();
        await database.StartProcess().ApplyPulseSchemaAsync();

        Assert.Equal(10L, await database.ExecuteAsync(CountScripts));
        Assert.Equal(before, await database.ExecuteAsync("SELECT min(applied_at) FROM schema_versions"));
    }

    [Fact]
    public async Task Apply_TenAtOnceOnAnEmptyDatabase_AllSucceed()
    {
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => database.StartProcess().ApplyPulseSchemaAsync())));

        Assert.Equal(10L, await database.ExecuteAsync(CountScripts));
    }

    [Fact]
    public async Task Apply_SchemaOfANewerPulse_IsRefusedAndSaysWhatToDo()
    {
        await database.StartProcess().ApplyPulseSchemaAsync();
        await database.ExecuteAsync("INSERT INTO schema_versions (script_name) VALUES ('999_future.sql')");

        var exception = await Assert.ThrowsAsync<SchemaVersionException>(() => database.StartProcess().ApplyPulseSchemaAsync());

        Assert.Contains("999_future.sql", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Start that version or a later one, or restore the backup", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Apply_OlderScriptMissingAndNewerThere_IsRefusedUnderTheLockToo()
    {
        await database.StartProcess().ApplyPulseSchemaAsync();
        await database.ExecuteAsync("UPDATE schema_versions SET script_name = '999_future.sql' WHERE script_name LIKE '002%'");

        await Assert.ThrowsAsync<SchemaVersionException>(() => database.StartProcess().ApplyPulseSchemaAsync());
    }

    [Fact]
    public async Task Apply_ScriptFails_LeavesTheDatabaseAsItWas()
    {
        // Blocks the second script. The first one's tables must be rolled back with it.
        await database.ExecuteAsync("CREATE TABLE OrleansQuery (other integer)");

        await Assert.ThrowsAnyAsync<Exception>(() => database.StartProcess().ApplyPulseSchemaAsync());
        await database.ExecuteAsync("CREATE TABLE users (other integer)");
        await database.ExecuteAsync("DROP TABLE users");
        await database.ExecuteAsync("DROP TABLE OrleansQuery");

        await database.StartProcess().ApplyPulseSchemaAsync();
        Assert.Equal(10L, await database.ExecuteAsync(CountScripts));
    }
}
