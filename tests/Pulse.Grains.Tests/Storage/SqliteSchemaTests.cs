using Pulse.Grains.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

public sealed class SqliteSchemaTests : SchemaContract
{
    private readonly SqliteStores _stores;

    public SqliteSchemaTests() : this(new())
    {
    }

    private SqliteSchemaTests(SqliteStores stores) : base(stores) => _stores = stores;

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

    [Fact]
    public async Task Apply_WithMessages_GivesEachRowTheLatestTimeUpToIt()
    {
        await _stores.StartProcess().ApplyPulseSchemaAsync();
        await _stores.ExecuteAsync(
            """
            ALTER TABLE message_rows DROP COLUMN newest_at;
            DELETE FROM schema_versions WHERE script_name LIKE '010%';
            CREATE TEMP TABLE sent AS SELECT column1 AS id, column2 AS conversation_id, column3 AS seq, column4 AS day FROM (VALUES
                (1, '00000000-0000-0000-0000-000000000001', 1, '02'),
                (2, '00000000-0000-0000-0000-000000000002', 1, '01'),
                (3, '00000000-0000-0000-0000-000000000002', 2, '03'));
            INSERT INTO entries (conversation_id, seq, kind, sender_id, body, sent_at)
            SELECT conversation_id, seq, 'message', '00000000-0000-0000-0000-000000000003', 'x', '2026-01-' || day || 'T00:00:00.000000Z' FROM sent;
            INSERT INTO message_rows (id, conversation_id, seq) SELECT id, conversation_id, seq FROM sent;
            """);

        await _stores.StartProcess().ApplyPulseSchemaAsync();

        Assert.Equal("02,02,03", await _stores.ExecuteAsync("SELECT group_concat(substr(newest_at, 9, 2)) FROM (SELECT newest_at FROM message_rows ORDER BY id)"));
    }
}
