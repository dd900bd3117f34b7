using System.Data.Common;
using Microsoft.Data.Sqlite;
using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>Searches messages with the FTS5 index of <c>007_search.sql</c>.</summary>
/// <remarks>
/// The index gives rows by descending ids, which is nearly the order of time. So a search keeps a page of the newest messages that it has
/// read, and ends when all further rows are older (<c>010_search_index.sql</c>).
/// </remarks>
internal sealed class SqliteMessageSearch(SqliteDatabase database)
{
    // A search has a thread for all its time, because SQLite's driver is synchronous.
    private const int AtOnce = 2;

    /// <summary>Reads the messages that match, by descending ids.</summary>
    public const string Sql =
        $"""
        WITH scope AS MATERIALIZED (
            {ConversationSql.Readable}
        )
        SELECT e.conversation_id, e.seq, e.sender_id, e.sent_at, e.body, r.newest_at
        FROM message_search f CROSS JOIN message_rows r ON r.id = f.rowid
        CROSS JOIN scope s ON s.conversation_id = r.conversation_id AND r.seq >= s.visible_from
        CROSS JOIN entries e ON e.conversation_id = r.conversation_id AND e.seq = r.seq AND e.deleted_seq IS NULL
        WHERE f.message_search MATCH @query AND (e.conversation_id, e.sender_id) NOT IN (SELECT conversation_id, user_id FROM erasures)
        ORDER BY f.rowid DESC
        """;

    private readonly SearchPlaces _places = new(AtOnce);

    /// <summary>The newest messages that match, at most as many as the search asks for.</summary>
    /// <exception cref="StoreUnavailableException">The search has read nothing in its time.</exception>
    public Task<FoundMessages> FindAsync(
        Guid userId, MessageSearch search, SearchQuery query, IReadOnlyList<SearchedConversation> scope, CancellationToken cancellationToken) =>
        _places.RunAsync(userId, deadline => ReadAsync(userId, search, query, scope, isOver: () => deadline.Left == TimeSpan.Zero, cancellationToken), cancellationToken);

    /// <summary>Reads until the page is complete, or the time is over.</summary>
    public Task<FoundMessages> ReadAsync(
        Guid userId, MessageSearch search, SearchQuery query, IReadOnlyList<SearchedConversation> scope, Func<bool> isOver, CancellationToken cancellationToken)
    {
        var names = string.Join(" OR ", scope.Select(conversation => $"\"{conversation.Id:N}\""));
        return database.ReadApartAsync(
            connection =>
            {
                using var command = SqliteConversationStore.Command(
                    connection, Sql,
                    [("user", userId), ("ids", scope.Select(conversation => conversation.Id).ToArray()), ("query", $"conversation : ({names}) AND words : ({query.ToSqlite()})")]);
                return Read(command, search);
            },
            isOver, cancellationToken);
    }

    private static FoundMessages Read(SqliteCommand command, MessageSearch search)
    {
        var found = new SortedSet<FoundMessage>(NewestFirst.Instance);
        var before = search.Before is { } cursor ? new FoundMessage(cursor.ConversationId, cursor.Seq, Guid.Empty, cursor.At, "") : null;
        DateTimeOffset? newestAt = null;
        try
        {
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                newestAt = reader.GetFieldValue<DateTimeOffset>(5);
                if (found.Count == search.Limit && found.Max!.SentAt > newestAt) break;
                var message = ConversationRows.ReadFound(reader);
                if (before is not null && NewestFirst.Instance.Compare(message, before) <= 0) continue;
                found.Add(message);
                if (found.Count > search.Limit) found.Remove(found.Max!);
            }
        }
        catch (SqliteException exception) when (SqliteDatabase.IsEnded(exception))
        {
            // Everything later than this time has been read.
            var reached = newestAt?.AddTicks(TimeSpan.TicksPerMicrosecond);
            if (reached is { } at && at < (search.Before?.At ?? DateTimeOffset.MaxValue) && found.Any(message => message.SentAt >= at))
                return new([.. found.Where(message => message.SentAt >= at)], new(at, Guid.Empty, 0));

            // After a message of a clock that was ahead, the time says nothing. The rows have been read nearly in the order of time.
            if (found.Max is not { } last) throw SearchDeadline.Missed();
            return new([.. found], new(last.SentAt, last.ConversationId, last.Seq));
        }

        return new([.. found], null);
    }

    /// <summary>The order of a page: by time, then as the texts of ids and the seqs order, which is how both databases compare them.</summary>
    private sealed class NewestFirst : IComparer<FoundMessage>
    {
        public static readonly NewestFirst Instance = new();

        public int Compare(FoundMessage? x, FoundMessage? y) => (y!.SentAt, SqliteText.From(y.ConversationId), y.Seq) switch
        {
            var (at, _, _) when at != x!.SentAt => at.CompareTo(x.SentAt),
            var (_, id, _) when string.CompareOrdinal(id, SqliteText.From(x.ConversationId)) is not 0 and var order => order,
            var (_, _, seq) => seq.CompareTo(x.Seq),
        };
    }
}
