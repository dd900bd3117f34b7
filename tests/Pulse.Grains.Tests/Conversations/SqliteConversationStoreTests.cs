using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

public sealed class SqliteConversationStoreTests(SqliteStores stores) : ConversationStoreContract(stores), IClassFixture<SqliteStores>
{
    /// <summary>The index gives the rows in their order, so that a search of a common word reads the newest rows only.</summary>
    [Fact]
    public async Task Search_SortsNothing()
    {
        var plan = await Database.ReadApartAsync(
            connection =>
            {
                using var command = SqliteConversationStore.Command(
                    connection, $"EXPLAIN QUERY PLAN {SqliteMessageSearch.Sql}", [("user", Guid.NewGuid()), ("ids", new[] { Guid.NewGuid() }), ("query", "words : (x)")]);
                using var reader = command.ExecuteReader();
                var lines = new List<string>();
                while (reader.Read()) lines.Add(reader.GetString(3));
                return lines;
            },
            isOver: () => false, CancellationToken.None);

        Assert.Contains(plan, line => line.StartsWith("SCAN f VIRTUAL TABLE", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("ORDER BY", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ReadApart_TimeIsOver_EndsTheStatement_AndTheConnectionIsUsedAgain()
    {
        var started = Stopwatch.GetTimestamp();
        var ended = await Database.ReadApartAsync(
            connection =>
            {
                using var command = connection.CreateCommand();
                command.CommandText = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n";
                return SqliteDatabase.IsEnded(Assert.Throws<SqliteException>(() => command.ExecuteScalar()));
            },
            isOver: () => Stopwatch.GetElapsedTime(started) > TimeSpan.FromMilliseconds(50), CancellationToken.None);

        Assert.True(ended);
        Assert.Equal(100_000L, await Stores.ExecuteAsync("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT count(*) FROM n"));
    }

    private SqliteDatabase Database => (SqliteDatabase)Stores.Database;
}
