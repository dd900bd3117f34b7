using System.Diagnostics;
using Npgsql;
using Pulse.Grains.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

public sealed class PostgresSchemaTests : SchemaContract
{
    private readonly PostgresStores _stores;

    public PostgresSchemaTests() : this(new())
    {
    }

    private PostgresSchemaTests(PostgresStores stores) : base(stores) => _stores = stores;

    /// <summary>
    /// A statement that waits for an exclusive lock holds back every later statement on the table, so an upgrade beside a long transaction, such
    /// as that of a backup, would stop the silos that run.
    /// </summary>
    [Fact]
    public async Task Apply_WhileAnotherProgramReadsATable_GivesUpInTime_AndHoldsNobodyBack()
    {
        await _stores.StartProcess().ApplyPulseSchemaAsync();
        await _stores.ExecuteAsync("ALTER TABLE members DROP COLUMN shown_seq; DELETE FROM schema_versions WHERE script_name LIKE '008%'");
        await using var data = NpgsqlDataSource.Create(_stores.Options.PostgresConnectionString!);
        await using (var backup = await data.OpenConnectionAsync())
        {
            await using var transaction = await backup.BeginTransactionAsync();
            await using (var read = new NpgsqlCommand("SELECT count(*) FROM members", backup, transaction)) await read.ExecuteScalarAsync();

            var upgrade = Task.Run(() => _stores.StartProcess().ApplyPulseSchemaAsync());
            var longest = TimeSpan.Zero;
            while (!upgrade.IsCompleted)
            {
                var started = Stopwatch.GetTimestamp();
                await using (var command = data.CreateCommand("SELECT count(*) FROM members")) await command.ExecuteScalarAsync();
                if (Stopwatch.GetElapsedTime(started) is var time && time > longest) longest = time;
                await Task.Delay(50);
            }

            await Assert.ThrowsAsync<StoreUnavailableException>(() => upgrade);
            Assert.True(longest < TimeSpan.FromSeconds(10), $"A statement waited for {longest.TotalSeconds:F1} s.");
        }

        await _stores.StartProcess().ApplyPulseSchemaAsync();
        Assert.Equal(1L, await _stores.ExecuteAsync("SELECT count(*) FROM schema_versions WHERE script_name LIKE '008%'"));
    }

    /// <summary>A CREATE INDEX CONCURRENTLY that failed leaves such an index, which appends maintain and no search uses.</summary>
    [Theory]
    [InlineData("script_name LIKE '010%'")]
    [InlineData("script_name LIKE '007%' OR script_name LIKE '010%'")]
    public async Task Apply_IndexOfWordsIsInvalid_BuildsItAgain(string missing)
    {
        await _stores.StartProcess().ApplyPulseSchemaAsync();
        await _stores.ExecuteAsync($"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'entries_search_idx'::regclass; DELETE FROM schema_versions WHERE {missing}");

        await _stores.StartProcess().ApplyPulseSchemaAsync();

        Assert.Equal(true, await _stores.ExecuteAsync("SELECT indisvalid FROM pg_index WHERE indexrelid = 'entries_search_idx'::regclass"));
    }

    /// <summary>A script that waited to drop the index would drop it as soon as it is built, and hold back the silos meanwhile.</summary>
    [Fact]
    public async Task Script_IndexOfWordsIsBeingBuilt_DoesNotWaitToDropIt()
    {
        await _stores.StartProcess().ApplyPulseSchemaAsync();
        await _stores.ExecuteAsync("DROP INDEX entries_search_idx");
        await using var data = NpgsqlDataSource.Create(_stores.Options.PostgresConnectionString!);
        await using var writer = await data.OpenConnectionAsync();
        await using var transaction = await writer.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("LOCK TABLE entries IN ROW EXCLUSIVE MODE", writer, transaction)) await hold.ExecuteNonQueryAsync();

        // Waits for the writer, as for one of a long transaction.
        await using var build = data.CreateCommand(
            "CREATE INDEX CONCURRENTLY entries_search_idx ON entries USING gin (chat_search_1(conversation_id, sent_at, body)) WHERE kind = 'message' AND deleted_seq IS NULL");
        var built = build.ExecuteNonQueryAsync();
        await Eventually.AsyncEqual<object?>(
            true, () => _stores.ExecuteAsync("SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('entries_search_idx') AND NOT indisvalid)"));

        using var script = new StreamReader(typeof(SchemaUpgrade).Assembly.GetManifestResourceStream("sql/postgres/010_search_index.sql")!);
        var text = await script.ReadToEndAsync();
        await using (var command = data.CreateCommand($"SET lock_timeout = '1s'; {text[..(text.LastIndexOf("$$;", StringComparison.Ordinal) + 3)]}"))
        {
            await command.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
        await built;
        Assert.Equal(true, await _stores.ExecuteAsync("SELECT indisvalid FROM pg_index WHERE indexrelid = 'entries_search_idx'::regclass"));
    }

    /// <summary>Each search reads the whole pending list of the index.</summary>
    [Fact]
    public async Task Apply_IndexOfWords_HasAShortPendingListFromThenOn()
    {
        await _stores.StartProcess().ApplyPulseSchemaAsync();
        await _stores.ExecuteAsync("ALTER INDEX entries_search_idx RESET (gin_pending_list_limit); DELETE FROM schema_versions WHERE script_name LIKE '010%'");
        await AddMessagesAsync(1, 1_000);

        await _stores.StartProcess().ApplyPulseSchemaAsync();

        Assert.Equal(0L, await EmptyListAsync());
        await AddMessagesAsync(1_001, 2_000);
        Assert.InRange((long)(await EmptyListAsync())!, 1, 20);

        // The number of pages of 8 KiB that the list had.
        Task<object?> EmptyListAsync() => _stores.ExecuteAsync("SELECT gin_clean_pending_list('entries_search_idx')");

        Task AddMessagesAsync(int first, int last) => _stores.ExecuteAsync(
            $"""
            INSERT INTO entries (conversation_id, seq, kind, sender_id, body, sent_at)
            SELECT '00000000-0000-0000-0000-000000000001', n, 'message', '00000000-0000-0000-0000-000000000002',
                (SELECT string_agg('word' || n * m % 997, ' ') FROM generate_series(1, 20) m), now()
            FROM generate_series({first}, {last}) n
            """);
    }
}
