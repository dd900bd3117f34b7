using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Tests.Users;
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
    [InlineData(true)]
    [InlineData(false)]
    public async Task Search_UsesTheIndexOfWords(bool isNamed)
    {
        var (user, ids) = await CommonAsync(conversations: 60, strangers: 5_000);
        await using var connection = await OpenAsync();
        foreach (var words in new[] { "common", "4711" })
        {
            foreach (var slice in SearchSlices.Of(new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero), new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)))
            {
                var plan = await ExplainAsync(connection, "", isNamed, slice, user, ids, words);
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
            SELECT '{id}', 1 + n, 'message', '{user}', gen_random_uuid(), 'own ' || n, timestamptz '2026-01-01Z' FROM generate_series(1, 2000) n
            """);
        await ExecuteAsync(connection, "ANALYZE entries");
        // The other tests' rows make the planner think that the user has few messages, which it would rather sort.
        await ExecuteAsync(connection, "SET enable_sort = off");
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

    /// <summary>What strangers write changes the time of a search by nothing that a user would notice.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(60)]
    public async Task Search_InFewMessages_ReadsNoneOfOthers(int conversations)
    {
        var (user, ids) = await CommonAsync(conversations, strangers: 5_000);
        await using var connection = await OpenAsync();
        var scope = ids.Select(id => new SearchedConversation(id, DateTimeOffset.MaxValue, DateTimeOffset.MinValue, Entries: 2)).ToArray();
        Assert.True(PostgresMessageSearch.IsNamed(scope));

        var plan = await ExplainAsync(
            connection, "(ANALYZE, TIMING OFF, COSTS OFF)", isNamed: true, new(DateTimeOffset.MinValue, new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero), ""), user, ids, "common");

        var read = plan.Where(line => line.Contains("Bitmap Heap Scan on entries", StringComparison.Ordinal))
            .Select(line => Regex.Match(line, @"rows=([\d.]+) loops=(\d+)").Groups).Sum(counts => double.Parse(counts[1].Value, CultureInfo.InvariantCulture) * int.Parse(counts[2].Value, CultureInfo.InvariantCulture));
        Assert.InRange(read, 1, conversations);
    }

    [Fact]
    public async Task Search_OfManySlowOnes_TakeFewConnections()
    {
        var (id, user) = await CreateAsync();
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(Messages(id, await ClaimAsync(id), user, 1)));
        await using var connection = await OpenAsync();
        await using var watch = await OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, "LOCK TABLE entries IN ACCESS EXCLUSIVE MODE");

        var searches = Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => IsAnsweredAsync(() => Store.SearchAsync(user, new() { Text = $"message {i}" })))));
        var most = 0L;
        await using var count = new NpgsqlCommand(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%to_tsquery%'", watch);
        while (!searches.IsCompleted) most = Math.Max(most, (long)(await count.ExecuteScalarAsync())!);

        Assert.All(await searches, Assert.False);
        Assert.InRange(most, 1, 2);
    }

    /// <summary>A search that ends early goes on where it has ended, also if it has found nothing there.</summary>
    [Fact]
    public async Task Search_SlowTimeWithoutHits_BetweenTwoHits_ReachesTheSecond()
    {
        // Beside few messages PostgreSQL would read all of them instead of the index.
        await CommonAsync(conversations: 1, strangers: 5_000);
        var (id, user) = await CreateAsync(at: TestUsers.Noon.AddDays(-300));
        var (first, last) = (0L, 0L);
        var claimed = await ClaimAsync(id);
        var times = Enumerable.Range(3, 12).Select(hours => (Hours: hours, Text: "one slow needle")).Prepend((0, "needle one")).Append((24 * 200, "needle one")).Reverse();
        foreach (var (hours, text) in times)
        {
            var run = new Run(id, claimed, user, TestUsers.Noon.AddHours(-hours));
            var seq = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = text });
            if (text == "needle one") (first, last) = (first == 0 ? seq : first, seq);
            Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
            claimed = claimed with { Head = run.Head };
        }

        // The index finds the words of a phrase, and PostgreSQL then reads the message. All these messages take longer than a search has.
        var body = (string)(await Stores.ExecuteAsync("SELECT prosrc FROM pg_proc WHERE proname = 'chat_search_1'"))!;
        const string Signature = "CREATE OR REPLACE FUNCTION chat_search_1(conversation_id uuid, sent_at timestamptz, body text) RETURNS tsvector IMMUTABLE PARALLEL SAFE";
        await Stores.ExecuteAsync(
            $"{Signature} LANGUAGE plpgsql AS $$ BEGIN IF body LIKE '%slow%' THEN PERFORM pg_sleep(0.12); END IF; RETURN ({body.Trim()}); END $$");
        var found = new List<long>();
        try
        {
            // Sessions from before would not use the index, because they have read its expression.
            await using var services = Stores.StartProcess();
            var store = services.GetRequiredService<IConversationStore>();
            var (page, cursor, refusals) = ((SearchPage?)null, (SearchCursor?)null, 0);
            while (page is not { HasMore: false } && refusals < 5)
            {
                try
                {
                    page = await store.SearchAsync(user, new() { Text = "\"needle one\"", ConversationId = id, Before = cursor });
                    found.AddRange(page.Hits.Select(hit => hit.Seq));
                    cursor = page.Next;
                }
                catch (StoreUnavailableException)
                {
                    refusals++; // On a busy machine even a short part can take too long.
                }
            }
        }
        finally
        {
            await Stores.ExecuteAsync($"{Signature} LANGUAGE sql AS $$ {body} $$");
        }

        Assert.Equal([last, first], found);
    }

    /// <summary>Many messages of strangers with the word common, and one in each of a user's conversations.</summary>
    private async Task<(Guid User, Guid[] Ids)> CommonAsync(int conversations, int strangers)
    {
        var user = await AddUserAsync();
        var ids = new Guid[conversations];
        for (var i = 0; i < conversations; i++) ids[i] = (await CreateAsync(user)).Id;
        await using var connection = await OpenAsync();
        await using var insert = new NpgsqlCommand(
            """
            INSERT INTO entries (conversation_id, seq, kind, sender_id, body, sent_at)
            SELECT @stranger, 1 + n, 'message', @user, 'common ' || n, timestamptz '2026-01-01Z' + n * interval '1 minute' FROM generate_series(1, @strangers) n
            UNION ALL SELECT id, 2, 'message', @user, 'common 4711', timestamptz '2026-01-02Z' FROM unnest(@ids) id
            """,
            connection);
        insert.Parameters.Add(new("stranger", Guid.NewGuid()));
        insert.Parameters.Add(new("user", user));
        insert.Parameters.Add(new("strangers", strangers));
        insert.Parameters.Add(new("ids", ids));
        await insert.ExecuteNonQueryAsync();
        await ExecuteAsync(connection, "ANALYZE entries");
        return (user, ids);
    }

    private static async Task<List<string>> ExplainAsync(
        NpgsqlConnection connection, string options, bool isNamed, SearchSlice slice, Guid user, Guid[] ids, string words)
    {
        await using var command = new NpgsqlCommand($"EXPLAIN {options} {PostgresMessageSearch.SqlOf(isNamed, slice)}", connection);
        PostgresMessageSearch.AddParameters(command.Parameters, user, new() { Text = words }, SearchQuery.Parse(words), slice, ids, limit: 21);
        await using var reader = await command.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await reader.ReadAsync()) plan.Add(reader.GetString(0));
        return plan;
    }

    private static async Task<bool> IsAnsweredAsync(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
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
