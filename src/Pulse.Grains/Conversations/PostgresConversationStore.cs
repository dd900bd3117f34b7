using System.Data.Common;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>The chat's tables in PostgreSQL. Appends and claims are functions of the schema, because their second statements must run under the locks.</summary>
internal sealed class PostgresConversationStore(PostgresDatabase database) : ConversationStore
{
    private const string CreateSql =
        """
        WITH created AS (
            INSERT INTO conversations (id, kind, title, head, newcomers_see, created_at) VALUES (@id, @kind, @title, 1, @newcomers, @at)
            ON CONFLICT DO NOTHING RETURNING id
        ), joined AS (
            INSERT INTO members (conversation_id, user_id, role, joined_seq, visible_from, read_seq)
            SELECT created.id, m.user_id, m.role, 1, 1, 1 FROM created, unnest(@users, @roles) AS m (user_id, role)
        )
        INSERT INTO entries (conversation_id, seq, kind, sender_id, body, sent_at) SELECT id, 1, 'created', @creator, @body, @at FROM created
        """;

    private const string AppendSql =
        """
        SELECT o_id, o_result FROM chat_append_2(
            @ids, @epochs, @heads, @run, @seqs, @kinds, @senders, @clients, @targets, @replies, @bodies, @ats, @users, @roles, @froms,
            @mentionRun, @mentionSeq, @mentionUser)
        """;

    // Locked in one order, so that two silos that move the same markers do not wait for each other in a circle.
    private const string MarkReadSql =
        $"""
        WITH due AS MATERIALIZED (
            SELECT conversation_id, user_id, seq, shown FROM unnest(@ids, @users, @seqs, @shown) AS r (conversation_id, user_id, seq, shown)
        ), locked AS MATERIALIZED (
            SELECT m.conversation_id, m.user_id FROM members m JOIN due ON m.conversation_id = due.conversation_id AND m.user_id = due.user_id
            ORDER BY m.conversation_id, m.user_id FOR NO KEY UPDATE OF m
        )
        UPDATE members m SET read_seq = greatest(m.read_seq, due.seq),
            shown_seq = nullif(greatest({ConversationSql.ShownMarker}, due.shown), greatest(m.read_seq, due.seq))
        FROM due JOIN locked ON locked.conversation_id = due.conversation_id AND locked.user_id = due.user_id
        WHERE m.conversation_id = due.conversation_id AND m.user_id = due.user_id
        RETURNING m.conversation_id, m.user_id, m.read_seq
        """;

    // Entries are read only for the items whose missing entries fit, counted from the first item of each call on: by number, and by bytes, because
    // a statement holds the calls of many clients. A size is known without reading the text.
    private const string SyncSql =
        $"""
        WITH items AS (
            SELECT r.ord, r.call, r.id, c.head, m.visible_from, m.read_seq, greatest(r.seq, m.visible_from - 1) AS after
            FROM unnest(@calls, @users, @ids, @seqs) WITH ORDINALITY AS r (call, user_id, id, seq, ord)
            LEFT JOIN conversations c ON c.id = r.id
            LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = r.user_id AND m.left_seq IS NULL
        ), sized AS (
            SELECT *, head - after <= @max
                AND sum(CASE WHEN head - after BETWEEN 0 AND @max THEN head - after ELSE 0 END) OVER (PARTITION BY call ORDER BY ord) <= @max AS fits FROM items
        ), weighed AS (
            SELECT *, sum(CASE WHEN fits AND head > after THEN (
                SELECT sum(octet_length(e.body)) FROM entries e WHERE e.conversation_id = sized.id AND e.seq > sized.after AND e.seq <= sized.head) ELSE 0 END)
                OVER (PARTITION BY call ORDER BY ord) AS bytes FROM sized
        )
        SELECT w.ord, w.head, w.visible_from, w.read_seq, {ConversationSql.EntryColumns}
        FROM weighed w LEFT JOIN entries e ON w.fits AND coalesce(w.bytes, 0) <= @bytes AND e.conversation_id = w.id AND e.seq > w.after AND e.seq <= w.head
        ORDER BY w.ord, e.seq
        """;

    private readonly PostgresMessageSearch _search = new(database);

    public override async Task<bool> CreateAsync(Guid id, ConversationStart start, DateTimeOffset at, CancellationToken cancellationToken = default)
    {
        var (users, roles) = ConversationBodies.FirstMembers(start);
        return await database.RunAsync(
            CreateSql,
            (command, token) =>
            {
                command.Parameters.Add(new("id", id));
                command.Parameters.Add(new("kind", start.Kind));
                command.Parameters.Add(new("title", NpgsqlDbType.Text) { Value = (object?)start.Title ?? DBNull.Value });
                command.Parameters.Add(new("newcomers", start.NewcomersSee));
                command.Parameters.Add(new("at", at.ToUniversalTime()));
                command.Parameters.Add(new("users", users));
                command.Parameters.Add(new("roles", roles));
                command.Parameters.Add(new("creator", start.CreatorId));
                command.Parameters.Add(new("body", ConversationBodies.Created(start)));
                return command.ExecuteNonQueryAsync(token);
            },
            cancellationToken) > 0;
    }

    // If a batch has several claims of one conversation, only an unconditional one succeeds. Otherwise two activations could get the same epoch.
    public override Task<Claimed?[]> ClaimAsync(Claim[] claims, BatchLimits limits) => ClaimDistinctAsync(
        claims, [.. claims.GroupBy(claim => claim.Id).Where(same => same.Count() == 1 || same.Any(claim => claim.IfEpoch < 0)).Select(same => same.MinBy(claim => claim.IfEpoch))],
        limits);

    private Task<Claimed?[]> ClaimDistinctAsync(Claim[] asked, Claim[] claims, BatchLimits limits) => database.RunBatchAsync(
        "SELECT o_id, o_epoch, o_head FROM chat_claim_1(@ids, @ifEpochs)",
        limits,
        parameters =>
        {
            Add(parameters, "ids", NpgsqlDbType.Uuid, claims, claim => claim.Id);
            Add(parameters, "ifEpochs", NpgsqlDbType.Bigint, claims, claim => claim.IfEpoch);
        },
        async (reader, token) =>
        {
            var claimed = await ReadHeadsAsync(reader, token);
            var taken = claims.ToHashSet();

            // Each successful claim is answered once.
            return Array.ConvertAll(asked, claim => taken.Remove(claim) ? claimed.GetValueOrDefault(claim.Id) : null);
        });

    public override Task<Claimed?[]> FindHeadsAsync(Guid[] ids, BatchLimits limits) => database.RunBatchAsync(
        "SELECT id, epoch, head FROM conversations WHERE id = ANY (@ids)",
        limits,
        parameters => parameters.Add(new("ids", ids)),
        async (reader, token) =>
        {
            var found = await ReadHeadsAsync(reader, token);
            return Array.ConvertAll(ids, found.GetValueOrDefault);
        });

    public override Task<AppendOutcome[]> AppendAsync(LogRun[] runs, BatchLimits limits) => database.RunBatchAsync(
        AppendSql,
        limits,
        parameters => AddRuns(parameters, runs),
        async (reader, token) =>
        {
            var outcomes = new Dictionary<Guid, AppendOutcome>();
            while (await reader.ReadAsync(token))
            {
                outcomes[reader.GetGuid(0)] = reader.GetString(1) switch
                {
                    "stored" => AppendOutcome.Stored,
                    "known" => AppendOutcome.Known,
                    "busy" => AppendOutcome.Busy,
                    _ => AppendOutcome.Fenced,
                };
            }

            return Array.ConvertAll(runs, run => outcomes.GetValueOrDefault(run.ConversationId, AppendOutcome.Fenced));
        });

    public override Task<long[]> MarkReadAsync(ReadMark[] marks, BatchLimits limits)
    {
        // One row for each key: an UPDATE would take any one of several. A hidden mark must not be shown by a visible one of a lower seq.
        var furthest = marks.GroupBy(mark => (mark.ConversationId, mark.UserId)).Select(group => (
            group.Key, Seq: group.Max(mark => mark.Seq), Shown: group.Where(mark => !mark.IsHidden).Select(mark => mark.Seq).DefaultIfEmpty().Max())).ToArray();
        return database.RunBatchAsync(
            MarkReadSql,
            limits,
            parameters =>
            {
                Add(parameters, "ids", NpgsqlDbType.Uuid, furthest, mark => mark.Key.ConversationId);
                Add(parameters, "users", NpgsqlDbType.Uuid, furthest, mark => mark.Key.UserId);
                Add(parameters, "seqs", NpgsqlDbType.Bigint, furthest, mark => mark.Seq);
                Add(parameters, "shown", NpgsqlDbType.Bigint, furthest, mark => mark.Shown);
            },
            async (reader, token) =>
            {
                var read = new Dictionary<(Guid, Guid), long>();
                while (await reader.ReadAsync(token)) read[(reader.GetGuid(0), reader.GetGuid(1))] = reader.GetInt64(2);
                return Array.ConvertAll(marks, mark => read.GetValueOrDefault((mark.ConversationId, mark.UserId), mark.Seq));
            });
    }

    public override Task<ErasureStep> EraseNextAsync(MemberOf part, Guid worker, int count, BatchLimits limits) => database.RunBatchAsync(
        "SELECT chat_erase_1(@id, @user, @worker, @count)",
        limits,
        parameters =>
        {
            parameters.Add(new("id", part.ConversationId));
            parameters.Add(new("user", part.UserId));
            parameters.Add(new("worker", worker));
            parameters.Add(new("count", count));
        },
        async (reader, token) =>
        {
            await reader.ReadAsync(token);
            return reader.GetString(0) switch
            {
                "done" => ErasureStep.Done,
                "more" => ErasureStep.More,
                _ => ErasureStep.Taken,
            };
        });

    private protected override Task<FoundMessages> FindMessagesAsync(
        Guid userId, MessageSearch search, SearchQuery query, IReadOnlyList<SearchedConversation> scope, CancellationToken cancellationToken) =>
        _search.FindAsync(userId, search, query, scope, cancellationToken);

    protected override async Task<IReadOnlyList<MissedPage>[]> ReadMissedAsync(SyncCall[] calls, int maxEntries, CancellationToken cancellationToken)
    {
        var items = calls.SelectMany((call, i) => call.Items.Select(item => (Call: i, call.UserId, Item: item))).ToArray();
        var rows = await QueryAsync(
            SyncSql,
            [
                ("calls", Array.ConvertAll(items, one => one.Call)), ("users", Array.ConvertAll(items, one => one.UserId)),
                ("ids", Array.ConvertAll(items, one => one.Item.Id)), ("seqs", Array.ConvertAll(items, one => one.Item.Seq)), ("max", (long)maxEntries),
                ("bytes", (long)MaxSyncText * MaxBytesPerUnit),
            ],
            reader => (
                Index: (int)reader.GetInt64(0) - 1, Head: ConversationRows.Number(reader, 1), From: ConversationRows.Number(reader, 2),
                Read: ConversationRows.Number(reader, 3), Entry: ConversationRows.ReadEntry(reader, 4)),
            cancellationToken);
        var pages = rows.GroupBy(row => row.Index).OrderBy(group => group.Key).Select(group => group.First() is { From: { } from, Head: { } head } first
            ? new MissedPage(ConversationError.None, head, from, first.Read ?? 0, [.. group.Select(row => row.Entry).OfType<ConversationEntry>()])
            : new MissedPage(ConversationError.NotFound, 0, 0, 0, [])).ToArray();
        var next = 0;
        return Array.ConvertAll<SyncCall, IReadOnlyList<MissedPage>>(calls, call => pages[next..(next += call.Items.Length)]);
    }

    protected override Task<List<T>> QueryAsync<T>(
        string sql, (string Name, object Value)[] parameters, Func<DbDataReader, T> read, CancellationToken cancellationToken) => database.ReadAsync(
        ConversationSql.ForPostgres(sql),
        async (command, token) =>
        {
            AddAll(command, parameters);
            await using var reader = await command.ExecuteReaderAsync(token);
            var rows = new List<T>();
            while (await reader.ReadAsync(token)) rows.Add(read(reader));
            return rows;
        },
        cancellationToken);

    protected override Task<int> ExecuteAsync(string sql, (string Name, object Value)[] parameters, CancellationToken cancellationToken) => database.RunAsync(
        ConversationSql.ForPostgres(sql),
        (command, token) =>
        {
            AddAll(command, parameters);
            return command.ExecuteNonQueryAsync(token);
        },
        cancellationToken);

    private static void AddAll(NpgsqlCommand command, (string Name, object Value)[] parameters)
    {
        foreach (var (name, value) in parameters) command.Parameters.Add(new(name, value is DateTimeOffset time ? time.ToUniversalTime() : value));
    }

    private static async Task<Dictionary<Guid, Claimed>> ReadHeadsAsync(NpgsqlDataReader reader, CancellationToken token)
    {
        var found = new Dictionary<Guid, Claimed>();
        while (await reader.ReadAsync(token)) found[reader.GetGuid(0)] = new(reader.GetInt64(1), reader.GetInt64(2));
        return found;
    }

    private static void AddRuns(NpgsqlParameterCollection parameters, LogRun[] runs)
    {
        Add(parameters, "ids", NpgsqlDbType.Uuid, runs, run => run.ConversationId);
        Add(parameters, "epochs", NpgsqlDbType.Bigint, runs, run => run.Epoch);
        Add(parameters, "heads", NpgsqlDbType.Bigint, runs, run => run.Head);

        // Arrays of PostgreSQL begin at 1.
        var entries = runs.SelectMany((run, i) => run.Entries.Select(entry => (Run: i + 1, New: entry, entry.Entry))).ToArray();
        Add(parameters, "run", NpgsqlDbType.Integer, entries, item => item.Run);
        Add(parameters, "seqs", NpgsqlDbType.Bigint, entries, item => item.Entry.Seq);
        Add(parameters, "kinds", NpgsqlDbType.Text, entries, item => item.Entry.Kind);
        Add(parameters, "senders", NpgsqlDbType.Uuid, entries, item => item.Entry.SenderId);
        Add(parameters, "clients", NpgsqlDbType.Uuid, entries, item => item.Entry.ClientId);
        Add(parameters, "targets", NpgsqlDbType.Bigint, entries, item => item.Entry.Target);
        Add(parameters, "replies", NpgsqlDbType.Bigint, entries, item => item.Entry.ReplyTo);
        Add(parameters, "bodies", NpgsqlDbType.Text, entries, item => item.Entry.Body);
        Add(parameters, "ats", NpgsqlDbType.TimestampTz, entries, item => item.Entry.SentAt.UtcDateTime);
        Add(parameters, "users", NpgsqlDbType.Uuid, entries, item => item.New.UserId);
        Add(parameters, "roles", NpgsqlDbType.Text, entries, item => item.New.Role);
        Add(parameters, "froms", NpgsqlDbType.Bigint, entries, item => item.New.VisibleFrom);

        var mentions = entries.SelectMany(item => item.Entry.Mentions, (item, userId) => (item.Run, item.Entry.Seq, UserId: userId)).ToArray();
        Add(parameters, "mentionRun", NpgsqlDbType.Integer, mentions, item => item.Run);
        Add(parameters, "mentionSeq", NpgsqlDbType.Bigint, mentions, item => item.Seq);
        Add(parameters, "mentionUser", NpgsqlDbType.Uuid, mentions, item => item.UserId);
    }

    private static void Add<TItem, T>(NpgsqlParameterCollection parameters, string name, NpgsqlDbType type, TItem[] items, Converter<TItem, T> value) =>
        parameters.Add(new(name, NpgsqlDbType.Array | type) { Value = Array.ConvertAll(items, value) });
}
