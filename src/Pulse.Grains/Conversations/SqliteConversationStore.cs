using System.Data.Common;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>The chat's tables in the embedded SQLite file. Writers take turns, so the statements of a claim or an append are one step.</summary>
internal sealed class SqliteConversationStore(SqliteDatabase database) : ConversationStore
{
    /// <summary>As in chat_append_2 (postgres/011_erasures.sql): that many messages of an erased sender are emptied with the entry.</summary>
    private const int ErasedAtOnce = 100;

    private const string CreateSql =
        """
        INSERT INTO conversations (id, kind, title, head, newcomers_see, created_at) VALUES (@id, @kind, @title, 1, @newcomers, @at) ON CONFLICT DO NOTHING
        """;

    private const string CreateEntrySql = "INSERT INTO entries (conversation_id, seq, kind, sender_id, body, sent_at) VALUES (@id, 1, 'created', @creator, @body, @at)";

    private const string CreateMemberSql =
        "INSERT INTO members (conversation_id, user_id, role, joined_seq, visible_from, read_seq) VALUES (@id, @user, @role, 1, 1, 1)";

    private const string ClaimSql = "UPDATE conversations SET epoch = epoch + 1 WHERE id = @id AND (@ifEpoch < 0 OR epoch = @ifEpoch) RETURNING epoch, head";

    private const string MoveSql =
        """
        UPDATE conversations SET head = @top, last_seq = coalesce(@message, last_seq), last_at = coalesce(@messageAt, last_at)
        WHERE id = @id AND epoch = @epoch AND head = @head
        """;

    private const string InsertSql =
        """
        INSERT INTO entries (conversation_id, seq, kind, sender_id, client_id, target_seq, reply_to, body, sent_at)
        VALUES (@id, @seq, @kind, @sender, @client, @target, @reply, @body, @at)
        """;

    private const string MentionSql = "INSERT INTO mentions (user_id, conversation_id, seq) VALUES (@user, @id, @target) ON CONFLICT DO NOTHING";

    private const string AddRowSql =
        """
        INSERT INTO message_rows (conversation_id, seq, newest_at)
        VALUES (@id, @target, max(@at, coalesce((SELECT newest_at FROM message_rows ORDER BY id DESC LIMIT 1), '')))
        """;

    private const string AddWordsSql =
        """
        INSERT INTO message_search (rowid, conversation, words)
        SELECT r.id, replace(@id, '-', ''), @words FROM message_rows r WHERE r.conversation_id = @id AND r.seq = @target
        """;

    private const string DeleteWordsSql =
        "DELETE FROM message_search WHERE rowid = (SELECT id FROM message_rows WHERE conversation_id = @id AND seq = @target)";

    private readonly SqliteMessageSearch _search = new(database);

    public override Task<bool> CreateAsync(Guid id, ConversationStart start, DateTimeOffset at, CancellationToken cancellationToken = default) =>
        database.WriteAsync(
            connection =>
            {
                if (Execute(
                    connection, CreateSql, ("id", id), ("kind", start.Kind), ("title", start.Title), ("newcomers", start.NewcomersSee), ("at", at)) == 0) return false;
                Execute(connection, CreateEntrySql, ("id", id), ("creator", start.CreatorId), ("body", ConversationBodies.Created(start)), ("at", at));
                var (users, roles) = ConversationBodies.FirstMembers(start);
                foreach (var (user, role) in users.Zip(roles)) Execute(connection, CreateMemberSql, ("id", id), ("user", user), ("role", role));
                return true;
            },
            cancellationToken);

    public override Task<Claimed?[]> ClaimAsync(Claim[] claims, BatchLimits limits) => database.WriteAsync(
        connection => Array.ConvertAll(claims, claim => Read(
            connection, ClaimSql, reader => new Claimed(reader.GetInt64(0), reader.GetInt64(1)), ("id", claim.Id), ("ifEpoch", claim.IfEpoch)).FirstOrDefault()),
        CancellationToken.None);

    public override Task<Claimed?[]> FindHeadsAsync(Guid[] ids, BatchLimits limits) => database.ReadAsync(
        connection => Array.ConvertAll(ids, id => Read(
            connection, "SELECT epoch, head FROM conversations WHERE id = @id", reader => new Claimed(reader.GetInt64(0), reader.GetInt64(1)), ("id", id)).FirstOrDefault()),
        CancellationToken.None);

    public override Task<AppendOutcome[]> AppendAsync(LogRun[] runs, BatchLimits limits) =>
        database.WriteAsync(connection => Array.ConvertAll(runs, run => Append(connection, run)), CancellationToken.None);

    // One process has the file, and it makes one step at a time.
    public override Task<ErasureStep> EraseNextAsync(MemberOf part, Guid worker, int count, BatchLimits limits) =>
        database.WriteAsync(connection => EraseNext(connection, part.ConversationId, part.UserId, count), CancellationToken.None);

    public override Task<long[]> MarkReadAsync(ReadMark[] marks, BatchLimits limits) => database.WriteAsync(
        connection => Array.ConvertAll(marks, mark => Read(
            connection,
            $"""
            UPDATE members AS m SET read_seq = max(m.read_seq, @seq),
                shown_seq = nullif(max({ConversationSql.ShownMarker}, @shown), max(m.read_seq, @seq))
            WHERE m.conversation_id = @id AND m.user_id = @user RETURNING read_seq
            """,
            reader => reader.GetInt64(0), ("id", mark.ConversationId), ("user", mark.UserId), ("seq", mark.Seq), ("shown", mark.IsHidden ? 0 : mark.Seq)) is [var read] ? read : mark.Seq),
        CancellationToken.None);

    protected override Task<IReadOnlyList<MissedPage>[]> ReadMissedAsync(SyncCall[] calls, int maxEntries, CancellationToken cancellationToken) =>
        database.ReadAsync(
            connection => Array.ConvertAll<SyncCall, IReadOnlyList<MissedPage>>(calls, call =>
            {
                var left = maxEntries;
                return Array.ConvertAll(call.Items, item => ReadMissed(connection, call.UserId, item, ref left));
            }),
            cancellationToken);

    protected override Task<List<T>> QueryAsync<T>(
        string sql, (string Name, object Value)[] parameters, Func<DbDataReader, T> read, CancellationToken cancellationToken) =>
        database.ReadAsync(
            connection =>
            {
                if (sql == ConversationSql.ListChannels)
                {
                    connection.CreateFunction(
                        ConversationSql.ContainsFunction, (string text, string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase), isDeterministic: true);
                }

                return Read(connection, sql, read, Array.ConvertAll(parameters, p => (p.Name, (object?)p.Value)));
            },
            cancellationToken);

    private protected override Task<FoundMessages> FindMessagesAsync(
        Guid userId, MessageSearch search, SearchQuery query, IReadOnlyList<SearchedConversation> scope, CancellationToken cancellationToken) =>
        _search.FindAsync(userId, search, query, scope, cancellationToken);

    protected override Task<int> ExecuteAsync(string sql, (string Name, object Value)[] parameters, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => Execute(connection, sql, Array.ConvertAll(parameters, p => (p.Name, (object?)p.Value))), cancellationToken);

    private static MissedPage ReadMissed(SqliteConnection connection, Guid userId, SyncItem item, ref int left)
    {
        var rows = Read(
            connection,
            """
            SELECT c.head, m.visible_from, m.read_seq FROM conversations c JOIN members m ON m.conversation_id = c.id AND m.user_id = @user AND m.left_seq IS NULL
            WHERE c.id = @id
            """,
            reader => (Head: reader.GetInt64(0), From: reader.GetInt64(1), Read: reader.GetInt64(2)),
            ("user", userId), ("id", item.Id));
        if (rows is not [var found]) return new(ConversationError.NotFound, 0, 0, 0, []);
        var after = Math.Max(item.Seq, found.From - 1);

        // All items together read as many entries as one answer holds.
        ConversationEntry[] entries = found.Head - after > left ? [] : [.. Read(
            connection, $"SELECT {ConversationSql.EntryColumns} FROM entries e WHERE e.conversation_id = @id AND e.seq > @after AND e.seq <= @head ORDER BY e.seq",
            reader => ConversationRows.ReadEntry(reader, 0)!, ("id", item.Id), ("after", after), ("head", found.Head))];
        left -= entries.Length;
        return new(ConversationError.None, found.Head, found.From, found.Read, entries);
    }

    private static AppendOutcome Append(SqliteConnection connection, LogRun run)
    {
        foreach (var entry in run.Entries.Select(item => item.Entry).Where(entry => entry.ClientId is not null))
        {
            var isKnown = Read(
                connection, "SELECT 1 FROM entries WHERE conversation_id = @id AND sender_id = @sender AND client_id = @client", _ => true,
                ("id", run.ConversationId), ("sender", entry.SenderId), ("client", entry.ClientId)).Count > 0;
            if (!isKnown) continue;

            // An append of an earlier epoch is refused, whatever it holds.
            var isCurrent = Read(
                connection, "SELECT 1 FROM conversations WHERE id = @id AND epoch = @epoch AND head = @head", _ => true,
                ("id", run.ConversationId), ("epoch", run.Epoch), ("head", run.Head)).Count > 0;
            return isCurrent ? AppendOutcome.Known : AppendOutcome.Fenced;
        }

        var message = run.Entries.LastOrDefault(item => item.Entry.Kind == EntryKinds.Message)?.Entry;
        var moved = Execute(
            connection, MoveSql, ("id", run.ConversationId), ("epoch", run.Epoch), ("head", run.Head), ("top", run.Head + run.Entries.Length),
            ("message", message?.Seq), ("messageAt", message?.SentAt));
        if (moved == 0) return AppendOutcome.Fenced;
        foreach (var entry in run.Entries) Insert(connection, run.ConversationId, entry);
        return AppendOutcome.Stored;
    }

    private static void Insert(SqliteConnection connection, Guid id, NewEntry added)
    {
        var entry = added.Entry;
        Execute(
            connection, InsertSql, ("id", id), ("seq", entry.Seq), ("kind", entry.Kind), ("sender", entry.SenderId), ("client", entry.ClientId),
            ("target", entry.Target), ("reply", entry.ReplyTo), ("body", entry.Body), ("at", entry.SentAt));
        switch (entry.Kind)
        {
            case EntryKinds.Message:
                Execute(connection, AddRowSql, ("id", id), ("target", entry.Seq), ("at", entry.SentAt));
                AddWords(entry.Seq);
                break;
            case EntryKinds.Edit:
                Execute(connection, DeleteWordsSql, ("id", id), ("target", entry.Target));
                AddWords(entry.Target);
                break;
            case EntryKinds.Delete:
                Execute(connection, DeleteWordsSql, ("id", id), ("target", entry.Target));
                break;
        }

        Run(entry.Kind switch
        {
            EntryKinds.Edit =>
                """
                UPDATE entries SET body = @body, edited_seq = @seq WHERE conversation_id = @id AND seq = @target;
                DELETE FROM mentions WHERE conversation_id = @id AND seq = @target
                """,
            EntryKinds.Delete =>
                """
                UPDATE entries SET body = NULL, deleted_seq = @seq WHERE conversation_id = @id AND seq = @target;
                UPDATE entries SET body = NULL WHERE conversation_id = @id AND target_seq = @target AND kind = 'edit';
                DELETE FROM mentions WHERE conversation_id = @id AND seq = @target;
                DELETE FROM reactions WHERE conversation_id = @id AND seq = @target
                """,
            EntryKinds.Reaction =>
                """
                DELETE FROM reactions WHERE conversation_id = @id AND seq = @target AND user_id = @sender AND emoji = @body ->> 'emoji';
                INSERT INTO reactions (conversation_id, seq, user_id, emoji) SELECT @id, @target, @sender, @body ->> 'emoji' WHERE @body ->> 'on'
                """,
            EntryKinds.MemberAdded =>
                """
                INSERT INTO members (conversation_id, user_id, role, joined_seq, visible_from, read_seq) VALUES (@id, @user, @role, @seq, @from, @seq)
                ON CONFLICT (conversation_id, user_id) DO UPDATE
                SET role = @role, joined_seq = @seq, visible_from = @from, read_seq = @seq, left_seq = NULL, removed_by = NULL, muted = 0
                """,
            EntryKinds.MemberRemoved =>
                """
                UPDATE members SET left_seq = @seq, removed_by = CASE WHEN @sender <> @user THEN @sender END WHERE conversation_id = @id AND user_id = @user
                """,
            EntryKinds.RoleChanged => "UPDATE members SET role = @role WHERE conversation_id = @id AND user_id = @user",
            EntryKinds.Renamed => "UPDATE conversations SET title = @body ->> 'title' WHERE id = @id",
            EntryKinds.RulesChanged => "UPDATE conversations SET newcomers_see = @body ->> 'newcomersSee' WHERE id = @id",
            EntryKinds.SenderErased =>
                """
                DELETE FROM members WHERE conversation_id = @id AND user_id = @sender;
                INSERT INTO erasures (conversation_id, user_id, seq) VALUES (@id, @sender, @seq)
                ON CONFLICT (conversation_id, user_id) DO UPDATE SET next_client = '', reactions_after = 0
                """,
            EntryKinds.Closed => "UPDATE conversations SET closed_at = @at WHERE id = @id",
            _ => null,
        });
        if (entry.Kind == EntryKinds.SenderErased) EraseNext(connection, id, entry.SenderId, ErasedAtOnce);

        var mentioned = entry.Kind == EntryKinds.Edit ? entry.Target : entry.Seq;
        foreach (var user in entry.Mentions) Execute(connection, MentionSql, ("user", user), ("id", id), ("target", mentioned));

        void AddWords(long? message) => Execute(
            connection, AddWordsSql, ("id", id), ("target", message), ("words", string.Join(' ', SearchQuery.Words(entry.Body ?? ""))));

        void Run(string? sql)
        {
            if (sql is null) return;
            Execute(
                connection, sql, ("id", id), ("seq", entry.Seq), ("sender", entry.SenderId), ("target", entry.Target), ("body", entry.Body), ("at", entry.SentAt),
                ("user", added.UserId), ("role", added.Role), ("from", added.VisibleFrom));
        }
    }

    /// <summary>The steps of <c>chat_erase_1</c>, see postgres/011_erasures.sql.</summary>
    private static ErasureStep EraseNext(SqliteConnection connection, Guid id, Guid userId, int count)
    {
        if (Read(
            connection, "SELECT seq, next_client, reactions_after FROM erasures WHERE conversation_id = @id AND user_id = @user",
            reader => (Seq: reader.GetInt64(0), Next: ConversationRows.Text(reader, 1), ReactionsAfter: reader.GetInt64(2)),
            ("id", id), ("user", userId)) is not [var (seq, next, reactionsAfter)]) return ErasureStep.Done;
        if (next is not null)
        {
            var messages = Read(
                connection,
                """
                SELECT client_id, seq FROM entries WHERE conversation_id = @id AND sender_id = @user AND client_id >= @next ORDER BY client_id LIMIT @count + 1
                """,
                reader => (ClientId: reader.GetString(0), Seq: reader.GetInt64(1)), ("id", id), ("user", userId), ("next", next), ("count", count));
            var seqs = messages.Take(count).Select(message => message.Seq).ToArray();
            Run(
                """
                DELETE FROM message_search WHERE rowid IN (SELECT id FROM message_rows WHERE conversation_id = @id AND seq = ANY (@seqs));
                UPDATE entries SET body = NULL, deleted_seq = coalesce(deleted_seq, @seq)
                WHERE conversation_id = @id AND seq = ANY (@seqs) AND (body IS NOT NULL OR deleted_seq IS NULL)
                """,
                seqs);
            var edits = Run(
                """
                UPDATE entries SET body = NULL WHERE conversation_id = @id AND seq IN (
                    SELECT seq FROM entries
                    WHERE conversation_id = @id AND target_seq IS NOT NULL AND target_seq = ANY (@seqs) AND kind = 'edit' AND body IS NOT NULL LIMIT @count)
                """,
                seqs);
            var mentions = Run(
                """
                DELETE FROM mentions WHERE (user_id, conversation_id, seq) IN (
                    SELECT user_id, conversation_id, seq FROM mentions WHERE conversation_id = @id AND seq = ANY (@seqs) LIMIT @count)
                """,
                seqs);
            if (edits < count && mentions < count) next = messages.Count > count ? messages[count].ClientId : null;
        }

        if (next is null)
        {
            var mentions = Run(
                """
                DELETE FROM mentions WHERE (user_id, conversation_id, seq) IN (
                    SELECT user_id, conversation_id, seq FROM mentions WHERE user_id = @user AND conversation_id = @id LIMIT @count)
                """);
            var reactions = Read(
                connection, "SELECT seq FROM reactions WHERE conversation_id = @id AND seq > @after ORDER BY seq LIMIT 10 * @count", reader => reader.GetInt64(0),
                ("id", id), ("after", reactionsAfter), ("count", count));
            if (reactions is [.., var last])
            {
                Execute(
                    connection, "DELETE FROM reactions WHERE conversation_id = @id AND seq > @after AND seq <= @last AND user_id = @user",
                    ("id", id), ("after", reactionsAfter), ("last", last), ("user", userId));
                reactionsAfter = last;
            }

            if (mentions < count && reactions.Count < 10 * count)
            {
                Execute(connection, "DELETE FROM erasures WHERE conversation_id = @id AND user_id = @user", ("id", id), ("user", userId));
                return ErasureStep.Done;
            }
        }

        Execute(
            connection, "UPDATE erasures SET next_client = @next, reactions_after = @after WHERE conversation_id = @id AND user_id = @user",
            ("id", id), ("user", userId), ("next", next), ("after", reactionsAfter));
        return ErasureStep.More;

        int Run(string sql, long[]? seqs = null) =>
            Execute(connection, sql, ("id", id), ("user", userId), ("seq", seq), ("count", count), ("seqs", seqs ?? []));
    }

    private static int Execute(SqliteConnection connection, string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(connection, sql, parameters);
        return command.ExecuteNonQuery();
    }

    private static List<T> Read<T>(SqliteConnection connection, string sql, Func<DbDataReader, T> read, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(connection, sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    /// <summary>A statement of <see cref="ConversationSql"/> with its parameters.</summary>
    public static SqliteCommand Command(SqliteConnection connection, string sql, (string Name, object? Value)[] parameters)
    {
        var command = new SqliteCommand(ConversationSql.ForSqlite(sql), connection);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value switch
            {
                null => DBNull.Value,
                Guid id => SqliteText.From(id),
                DateTimeOffset time => SqliteText.From(time),
                bool flag => flag ? 1L : 0L,
                Guid[] ids => JsonSerializer.Serialize(Array.ConvertAll(ids, SqliteText.From)),
                long[] numbers => JsonSerializer.Serialize(numbers),
                _ => value,
            });
        }

        return command;
    }
}
