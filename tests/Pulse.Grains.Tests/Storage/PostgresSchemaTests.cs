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
}
