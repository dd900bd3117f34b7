using Npgsql;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

public sealed class PostgresConversationStoreTests(PostgresStores stores) : ConversationStoreContract(stores), IClassFixture<PostgresStores>
{
    [Fact]
    public async Task Append_RowLockedByAnotherSession_IsBusyAtOnce_AndOtherConversationsAreStored()
    {
        var (locked, lockedCreator) = await CreateAsync();
        var (free, freeCreator) = await CreateAsync();
        var (claimedLocked, claimedFree) = (await ClaimAsync(locked), await ClaimAsync(free));
        await using var connection = await OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, $"SELECT 1 FROM conversations WHERE id = '{locked}' FOR UPDATE");

        // A statement that waited for the lock would end with an error after these limits.
        var outcomes = await Store.AppendAsync(
            [Messages(locked, claimedLocked, lockedCreator, 1), Messages(free, claimedFree, freeCreator, 1)],
            new(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10)));

        Assert.Equal([AppendOutcome.Busy, AppendOutcome.Stored], outcomes);
    }

    [Fact]
    public async Task Append_CommittedAfterAClaim_IsRefused_AndBeforeItIsCounted()
    {
        var (id, creator) = await CreateAsync();
        var claimed = await ClaimAsync(id);

        // An append that is still under way in another session when the claim begins: the claim waits for it and reports its head.
        await using var connection = await OpenAsync();
        var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, AppendText(id, claimed, creator));
        var claim = ClaimAsync(id);
        await Eventually.AsyncEqual<object?>(true, () => Stores.ExecuteAsync("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"));
        await transaction.CommitAsync();
        var second = await claim;
        Assert.Equal(claimed.Head + 1, second.Head);

        // An append of the first epoch that arrives after the claim changes nothing.
        await ExecuteAsync(connection, AppendText(id, second with { Epoch = claimed.Epoch }, creator));
        Assert.Equal(second.Head, (await Store.FindHeadsAsync([id], BatchLimits.Shared))[0]!.Head);
    }

    [Fact]
    public async Task Append_TwoWritersOverTheSameConversations_NeverDeadlock_AndEveryLogIsContiguous()
    {
        const int Conversations = 12;
        const int Batches = 300;
        var rows = new (Guid Id, Guid Creator)[Conversations];
        for (var i = 0; i < Conversations; i++) rows[i] = await CreateAsync();
        var before = await Stores.ExecuteAsync("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
        var stored = new int[Conversations];

        await Task.WhenAll(WriteAsync(1), WriteAsync(2));

        Assert.Equal(before, await Stores.ExecuteAsync("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
        for (var i = 0; i < Conversations; i++)
        {
            var log = await Store.ReadEntriesAsync(rows[i].Creator, rows[i].Id, 0, 10_000);
            Assert.Equal(Enumerable.Range(1, stored[i] + 1).Select(seq => (long)seq), log.Entries.Select(entry => entry.Seq));
        }

        async Task WriteAsync(int seed)
        {
            var random = new Random(seed);
            var limits = BatchLimits.Alone(TimeSpan.FromSeconds(10));
            for (var batch = 0; batch < Batches; batch++)
            {
                var picked = rows.Index().OrderBy(_ => random.Next()).Take(5).ToArray();
                Claimed?[] claims;
                try
                {
                    claims = await Store.ClaimAsync([.. picked.Select(item => new Claim(item.Item.Id, -1))], limits);
                }
                catch (BatchBlockedException)
                {
                    continue; // The other writer held a row for longer than a slice, on a busy machine.
                }

                var outcomes = await Store.AppendAsync([.. picked.Zip(claims, (item, claimed) => Messages(item.Item.Id, claimed!, item.Item.Creator, 2))], limits);
                foreach (var (item, outcome) in picked.Zip(outcomes))
                {
                    if (outcome == AppendOutcome.Stored) Interlocked.Add(ref stored[item.Index], 2);
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public async Task Search_UsesTheIndexOfWords(int conversations)
    {
        var (id, user) = await CreateAsync();
        for (var i = 1; i < conversations; i++) await CreateAsync(user);
        await using var connection = await OpenAsync();
        await ExecuteAsync(
            connection,
            $"""
            INSERT INTO entries (conversation_id, seq, kind, sender_id, body, sent_at)
            SELECT '{id}', 1 + n, 'message', '{user}', 'common ' || n, timestamptz '2026-01-01Z' + n * interval '1 minute' FROM generate_series(1, 5000) n
            """);
        await ExecuteAsync(connection, "ANALYZE entries");
        foreach (var words in new[] { "common", "4711" })
        {
            foreach (var slice in SearchSlices.Of(new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero), new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)))
            {
                await using var command = new NpgsqlCommand($"EXPLAIN {PostgresMessageSearch.Sql}", connection);
                PostgresMessageSearch.AddParameters(command.Parameters, user, new() { Text = words }, SearchQuery.Parse(words), slice, limit: 21);
                await using var reader = await command.ExecuteReaderAsync();
                var plan = new List<string>();
                while (await reader.ReadAsync()) plan.Add(reader.GetString(0));
                Assert.Contains(plan, line => line.Contains("Bitmap Index Scan on entries_search_idx", StringComparison.Ordinal));
                Assert.DoesNotContain(plan, line => line.Contains("Seq Scan on entries", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public async Task Erasure_BySilosOfEarlierVersions_LeavesTheSameRows()
    {
        var (former, present) = (await TalkAsync(), await TalkAsync());

        await using (var connection = await OpenAsync())
        {
            await ExecuteAsync(connection, AppendText(former.Id, former.Claimed, former.Erased, EntryKinds.SenderErased, version: 1));
        }

        await AppendErasureAsync(present);
        while (await Store.EraseNextAsync(new(present.Erased, present.Id), Guid.NewGuid(), 1_000, s_limits) != ErasureStep.Done);

        Assert.Equal(await RowsAsync(former), await RowsAsync(present));
        Assert.DoesNotContain(new(present.Erased, present.Id), await Store.ListErasuresAsync());

        async Task<object?> RowsAsync(ErasedTalk talk) => await Stores.ExecuteAsync(
            $"""
            SELECT concat_ws('; ',
                (SELECT string_agg(concat_ws(',', seq, kind, sender_id = '{talk.Erased}', client_id IS NULL, target_seq, edited_seq, deleted_seq,
                    CASE WHEN kind IN ('message', 'edit') THEN coalesce(body, 'emptied') END), '; ' ORDER BY seq) FROM entries WHERE conversation_id = '{talk.Id}'),
                (SELECT count(*) FROM mentions WHERE conversation_id = '{talk.Id}'),
                (SELECT count(*) FROM reactions WHERE conversation_id = '{talk.Id}'),
                (SELECT count(*) FROM members WHERE conversation_id = '{talk.Id}'))
            """);
    }

    [Fact]
    public async Task Erasure_OfAnotherSilo_IsLeftToIt_UntilItMakesNoMoreSteps()
    {
        var talk = await TalkAsync();
        await AppendErasureAsync(talk);
        var (part, one, other) = (new MemberOf(talk.Erased, talk.Id), Guid.NewGuid(), Guid.NewGuid());

        Assert.Equal(ErasureStep.More, await Store.EraseNextAsync(part, one, 10, s_limits));
        Assert.Equal(ErasureStep.Taken, await Store.EraseNextAsync(part, other, 10, s_limits));
        Assert.Equal(ErasureStep.More, await Store.EraseNextAsync(part, one, 10, s_limits));

        await Stores.ExecuteAsync($"UPDATE erasures SET worked_at = now() - interval '11 seconds' WHERE conversation_id = '{talk.Id}'");
        while (await Store.EraseNextAsync(part, other, 50, s_limits) is var step and not ErasureStep.Done) Assert.Equal(ErasureStep.More, step);
    }

    [Fact]
    public async Task Erasure_DuringAnAppend_WaitsForIt_AndTheAppendDuringAStepIsBusy()
    {
        var talk = await TalkAsync();
        await AppendErasureAsync(talk);
        var part = new MemberOf(talk.Erased, talk.Id);
        await using var connection = await OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, $"SELECT chat_erase_1('{talk.Id}', '{talk.Erased}', NULL, 10)");

        var claimed = talk.Claimed with { Head = talk.Claimed.Head + 1 };
        Assert.Equal(AppendOutcome.Busy, await AppendAsync(Messages(talk.Id, claimed, talk.Reader, 1)));
        await Assert.ThrowsAsync<BatchBlockedException>(() => Store.EraseNextAsync(part, Guid.NewGuid(), 10, new(TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(10))));
        await transaction.CommitAsync();

        Assert.Equal(AppendOutcome.Stored, await AppendAsync(Messages(talk.Id, claimed, talk.Reader, 1)));
    }

    [Fact]
    public async Task ReadOwn_ReadsOnlyThePage_InTheOrderOfTheIndex()
    {
        var (id, user) = await CreateAsync();
        await using var connection = await OpenAsync();
        await ExecuteAsync(
            connection,
            $"""
            INSERT INTO entries (conversation_id, seq, kind, sender_id, client_id, body, sent_at)
            SELECT '{id}', 1 + n, 'message', '{user}', gen_random_uuid(), 'own ' || n, timestamptz '2026-01-01Z' FROM generate_series(1, 12000) n
            """);
        await ExecuteAsync(connection, "ANALYZE entries");
        await using var command = new NpgsqlCommand($"EXPLAIN {ConversationSql.ForPostgres(ConversationSql.ReadOwnOf)}", connection);
        command.Parameters.Add(new("id", id));
        command.Parameters.Add(new("user", user));
        command.Parameters.Add(new("after", Guid.Parse("10000000-0000-4000-8000-000000000000")));
        command.Parameters.Add(new("first", false));
        command.Parameters.Add(new("limit", 200));
        await using var reader = await command.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await reader.ReadAsync()) plan.Add(reader.GetString(0));

        Assert.Contains(plan, line => line.Contains("Index Scan using entries_client_id_key", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("Sort", StringComparison.Ordinal));
    }

    private static string AppendText(Guid id, Claimed claimed, Guid sender, string kind = EntryKinds.Message, int version = 2) =>
        $"""
        SELECT * FROM chat_append_{version}(ARRAY['{id}']::uuid[], ARRAY[{claimed.Epoch}]::bigint[], ARRAY[{claimed.Head}]::bigint[], ARRAY[1], ARRAY[{claimed.Head + 1}]::bigint[],
            ARRAY['{kind}'], ARRAY['{sender}']::uuid[], ARRAY[{(kind == EntryKinds.Message ? $"'{Guid.NewGuid()}'" : "NULL")}]::uuid[], ARRAY[NULL]::bigint[], ARRAY[NULL]::bigint[], ARRAY['late'], ARRAY[now()],
            ARRAY[NULL]::uuid[], ARRAY[NULL]::text[], ARRAY[NULL]::bigint[], ARRAY[]::int[], ARRAY[]::bigint[], ARRAY[]::uuid[])
        """;

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(Stores.Options.PostgresConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
