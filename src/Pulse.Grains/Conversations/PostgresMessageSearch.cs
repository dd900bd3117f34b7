using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>Searches messages with the GIN index of <c>007_search.sql</c>.</summary>
internal sealed class PostgresMessageSearch(PostgresDatabase database)
{
    /// <summary>One slice of a search. The memberships are checked in the statement that reads the messages.</summary>
    /// <remarks>
    /// The index moves through the lists of all lexemes of a query for each candidate. With the lexemes of 200 conversations that
    /// took 0.5 ms each, so above 16 conversations a join selects the messages of the scope. <c>found</c> names no column of another
    /// index, so the planner has the choice between the GIN index and the whole table.
    /// </remarks>
    public const string Sql =
        $"""
        WITH scope AS MATERIALIZED (
            {ConversationSql.SearchScope}
        ), asked AS MATERIALIZED (
            SELECT CASE WHEN s.size <= 16 AND @lexemes <> '' THEN s.lexemes::tsquery && nullif(@lexemes, '')::tsquery && w.query
                WHEN s.size <= 16 THEN s.lexemes::tsquery && w.query
                WHEN @lexemes <> '' THEN nullif(@lexemes, '')::tsquery && w.query
                ELSE w.query END AS query
            FROM (SELECT count(*) AS size, string_agg(quote_literal(':c' || conversation_id), '|') AS lexemes FROM scope) s,
                (SELECT to_tsquery('pg_catalog.simple', @words) AS query) w
            WHERE numnode(w.query) > 0
        ), found AS MATERIALIZED (
            SELECT e.conversation_id, e.seq, e.sent_at, e.sender_id FROM entries e
            WHERE e.kind = 'message' AND e.deleted_seq IS NULL AND chat_search_1(e.conversation_id, e.sent_at, e.body) @@ (SELECT query FROM asked)
        ), page AS MATERIALIZED (
            SELECT f.conversation_id, f.seq, f.sent_at FROM found f JOIN scope s ON s.conversation_id = f.conversation_id AND f.seq >= s.visible_from
            WHERE (f.conversation_id, f.sender_id) NOT IN (SELECT conversation_id, user_id FROM erasures)
                AND f.sent_at < @until AND (@at IS NULL OR (f.sent_at, f.conversation_id, f.seq) < (@at, @before, @seq))
            ORDER BY f.sent_at DESC, f.conversation_id DESC, f.seq DESC LIMIT @limit
        )
        SELECT p.conversation_id, p.seq, e.sender_id, p.sent_at, e.body
        FROM page p JOIN entries e ON e.conversation_id = p.conversation_id AND e.seq = p.seq
        ORDER BY p.sent_at DESC, p.conversation_id DESC, p.seq DESC
        """;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(1);

    /// <summary>The newest messages that match, at most <paramref name="limit"/>.</summary>
    /// <exception cref="StoreUnavailableException">The search took longer than a second.</exception>
    public async Task<(List<FoundMessage> Found, bool IsCut)> FindAsync(Guid userId, MessageSearch search, SearchQuery query, SearchScope scope, int limit)
    {
        var found = new List<FoundMessage>();
        var started = Stopwatch.GetTimestamp();
        var newest = search.Before is { } before && before.At < scope.NewestAt ? before.At : scope.NewestAt;
        foreach (var slice in SearchSlices.Of(newest, scope.OldestAt))
        {
            var left = s_timeout - Stopwatch.GetElapsedTime(started);
            try
            {
                if (left < TimeSpan.FromMilliseconds(1)) throw new BatchBlockedException("a search has a second");
                found.AddRange(await database.RunBatchAsync(
                    Sql, new(left, left), parameters => AddParameters(parameters, userId, search, query, slice, limit - found.Count), ReadAsync));
            }
            catch (BatchBlockedException) when (found.Count > 0)
            {
                // The next page goes on from here.
                return (found, true);
            }
            catch (BatchBlockedException)
            {
                throw new StoreUnavailableException("the search took longer than a second: a longer word, or a search in one conversation, takes less");
            }

            if (found.Count >= limit) break;
        }

        return (found, false);
    }

    /// <summary>Adds the parameters of <see cref="Sql"/>.</summary>
    public static void AddParameters(
        NpgsqlParameterCollection parameters, Guid userId, MessageSearch search, SearchQuery query, SearchSlice slice, int limit)
    {
        parameters.Add(new("user", userId));
        parameters.Add(new("id", search.ConversationId ?? Guid.Empty));
        parameters.Add(new("lexemes", slice.Lexemes));
        parameters.Add(new("words", query.ToPostgres()));
        parameters.Add(new("until", slice.Until));
        parameters.Add(new("at", NpgsqlDbType.TimestampTz) { Value = (object?)search.Before?.At ?? DBNull.Value });
        parameters.Add(new("before", search.Before?.ConversationId ?? Guid.Empty));
        parameters.Add(new("seq", search.Before?.Seq ?? 0));
        parameters.Add(new("limit", limit));
    }

    private static async Task<List<FoundMessage>> ReadAsync(NpgsqlDataReader reader, CancellationToken token)
    {
        var found = new List<FoundMessage>();
        while (await reader.ReadAsync(token)) found.Add(ConversationRows.ReadFound(reader));
        return found;
    }
}
