using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>Searches messages with the GIN index of <c>007_search.sql</c>.</summary>
/// <remarks>
/// A statement reads one slice of time in one of two ways. It names the conversations to the index, which then reads the caller's messages
/// with these words alone: its cost is independent of what other users write. Or it finds the messages with these words of all users, and
/// joins those of the caller. The index compares each candidate with each name, so names make a search of many large conversations slower
/// (docs/performance.md).
/// </remarks>
internal sealed class PostgresMessageSearch(PostgresDatabase database)
{
    /// <summary>The most names in one query of the index.</summary>
    /// <remarks>
    /// Each query collects all words with a beginning anew, and more names cost more per candidate: 0.5 ms for 200 names on PostgreSQL 15,
    /// against 10 µs for a query that leaves them out.
    /// </remarks>
    private const int NamesAtOnce = 50;

    /// <summary>Conversations with fewer entries together are named, however many they are.</summary>
    private const long FewEntries = 20_000;

    /// <summary>Conversations with fewer entries together are named after the join took longer than <see cref="s_join"/>.</summary>
    private const long SomeEntries = 200_000;

    private static readonly TimeSpan s_join = TimeSpan.FromMilliseconds(200);

    private readonly SearchPlaces _places = new(database.MaxConnections / 5);

    /// <summary>The newest messages that match, at most as many as the search asks for.</summary>
    /// <exception cref="StoreUnavailableException">The search has read nothing in its time.</exception>
    public Task<FoundMessages> FindAsync(
        Guid userId, MessageSearch search, SearchQuery query, IReadOnlyList<SearchedConversation> scope, CancellationToken cancellationToken) =>
        _places.RunAsync(userId, deadline => FindAsync(userId, search, query, scope, deadline, cancellationToken), cancellationToken);

    /// <summary>Whether a statement names these conversations to the index from the start.</summary>
    public static bool IsNamed(IReadOnlyCollection<SearchedConversation> conversations) =>
        conversations.Count <= NamesAtOnce || EntriesOf(conversations) < FewEntries;

    /// <summary>Adds the parameters of <see cref="SqlOf"/>.</summary>
    public static void AddParameters(
        NpgsqlParameterCollection parameters, Guid userId, MessageSearch search, SearchQuery query, SearchSlice slice, Guid[] ids, int limit)
    {
        parameters.Add(new("user", userId));
        parameters.Add(new("ids", ids));
        parameters.Add(new("names", Array.ConvertAll(ids.Chunk(NamesAtOnce).ToArray(), some => string.Join('|', some.Select(id => $"':c{id}'")))));
        parameters.Add(new("times", slice.Lexemes));
        parameters.Add(new("words", query.ToPostgres()));
        parameters.Add(new("until", slice.Until));
        parameters.Add(new("at", NpgsqlDbType.TimestampTz) { Value = (object?)search.Before?.At ?? DBNull.Value });
        parameters.Add(new("before", search.Before?.ConversationId ?? Guid.Empty));
        parameters.Add(new("seq", search.Before?.Seq ?? 0));
        parameters.Add(new("limit", limit));
    }

    /// <summary>Reads one slice. The memberships are checked in the statement that reads the messages.</summary>
    /// <remarks>
    /// The times are a condition of their own: the index then skips to the messages of these times, instead of comparing each candidate with
    /// each time. <c>found</c> names no column of another index, and subqueries hide the words from the planner, so it has the choice between
    /// the GIN index and the whole table.
    /// </remarks>
    public static string SqlOf(bool isNamed, SearchSlice slice)
    {
        const string Text = "chat_search_1(e.conversation_id, e.sent_at, e.body)";
        const string Words = "(SELECT words FROM to_tsquery('pg_catalog.simple', @words) words WHERE numnode(words) > 0)";
        return $"""
            WITH scope AS MATERIALIZED (
                {ConversationSql.Readable}
            ), found AS MATERIALIZED (
                SELECT e.conversation_id, e.seq, e.sent_at, e.sender_id FROM {(isNamed ? "unnest(@names) AS named (conversations), " : "")}entries e
                WHERE e.kind = 'message' AND e.deleted_seq IS NULL AND {Text} @@ {(isNamed ? $"(named.conversations::tsquery && {Words})" : Words)}
                    {(slice.Lexemes == "" ? "" : $"AND {Text} @@ (SELECT @times::tsquery)")}
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
    }

    private async Task<FoundMessages> FindAsync(
        Guid userId, MessageSearch search, SearchQuery query, IReadOnlyList<SearchedConversation> scope, SearchDeadline deadline, CancellationToken cancellationToken)
    {
        var found = new List<FoundMessage>();
        var newest = scope.Max(conversation => conversation.NewestAt);
        if (search.Before is { } before && before.At < newest) newest = before.At;
        SearchCursor? reached = null;
        foreach (var slice in SearchSlices.Of(newest, scope.Min(conversation => conversation.OldestAt)))
        {
            var read = scope.Where(conversation => conversation.NewestAt >= slice.From && conversation.OldestAt < slice.Until).ToArray();
            try
            {
                if (read.Length > 0) found.AddRange(await ReadAsync(read, slice));
            }
            catch (BatchBlockedException)
            {
                return new(found, reached ?? throw SearchDeadline.Missed());
            }

            if (found.Count >= search.Limit) break;

            // A time that is not the time of the caller's last page: what is before it is still to be read.
            reached = new(slice.From, Guid.Empty, 0);
        }

        return new(found, null);

        async Task<List<FoundMessage>> ReadAsync(SearchedConversation[] read, SearchSlice slice)
        {
            if (IsNamed(read)) return await RunAsync(isNamed: true, deadline.Left);
            if (EntriesOf(read) >= SomeEntries) return await RunAsync(isNamed: false, deadline.Left);
            try
            {
                return await RunAsync(isNamed: false, deadline.Left < s_join ? deadline.Left : s_join);
            }
            catch (BatchBlockedException)
            {
                return await RunAsync(isNamed: true, deadline.Left);
            }

            Task<List<FoundMessage>> RunAsync(bool isNamed, TimeSpan limit) => limit < TimeSpan.FromMilliseconds(1)
                ? throw new BatchBlockedException("the search has no time left")
                : database.RunBatchAsync(
                    SqlOf(isNamed, slice), new(limit, limit),
                    parameters => AddParameters(parameters, userId, search, query, slice, Array.ConvertAll(read, conversation => conversation.Id), search.Limit - found.Count),
                    ReadRowsAsync, cancellationToken);
        }
    }

    private static long EntriesOf(IReadOnlyCollection<SearchedConversation> conversations) => conversations.Sum(conversation => conversation.Entries);

    private static async Task<List<FoundMessage>> ReadRowsAsync(NpgsqlDataReader reader, CancellationToken token)
    {
        var found = new List<FoundMessage>();
        while (await reader.ReadAsync(token)) found.Add(ConversationRows.ReadFound(reader));
        return found;
    }
}
