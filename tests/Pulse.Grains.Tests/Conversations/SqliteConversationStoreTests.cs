using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Tests.Users;
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

    /// <summary>All later rows have the time of such a message as the latest time that was stored before them.</summary>
    [Fact]
    public async Task SearchThatEndsEarly_AfterAMessageOfAClockThatWasAhead_KeepsItsHitsAndGoesOn()
    {
        const int Later = 400;
        var user = await AddUserAsync();
        var (ahead, _) = await CreateAsync(user);
        var (id, _) = await CreateAsync(user);
        var first = new Run(ahead, await ClaimAsync(ahead), user, TestUsers.Noon.AddHours(1));
        first.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "needle ahead" });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(first.Done()));
        var run = new Run(id, await ClaimAsync(id), user);
        for (var i = 0; i < Later; i++) run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = $"needle {i}" });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
        SearchedConversation[] scope = [new(ahead, TestUsers.Noon, TestUsers.Noon, 2), new(id, TestUsers.Noon, TestUsers.Noon, Later + 1)];

        // The time is over after some steps of the statement, which read some of the rows.
        var checks = 0;
        var early = await new SqliteMessageSearch(Database).ReadAsync(
            user, new() { Text = "needle", Limit = 21 }, SearchQuery.Parse("needle"), scope, isOver: () => ++checks > 10, CancellationToken.None);

        Assert.NotNull(early.Reached);
        Assert.NotEmpty(early.Messages);
        var next = await Store.SearchAsync(user, new() { Text = "needle", Limit = 20, Before = early.Reached });
        Assert.Equal(
            Enumerable.Range(0, early.Messages.Count + 20).Select(at => run.Head - at), early.Messages.Select(message => message.Seq).Concat(next.Hits.Select(hit => hit.Seq)));
    }

    private SqliteDatabase Database => (SqliteDatabase)Stores.Database;
}
