using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Pulse.Grains.Conversations;

/// <summary>Statements that PostgreSQL and SQLite have in common. Each read checks the membership in the statement that reads the rows.</summary>
/// <remarks><c>MAX2(a, b)</c>, <c>CHR31</c>, <c>PARTS</c>, <c>BYTEWISE(x)</c>, <c>CONTAINS(x, y)</c> and <c>= ANY (@x)</c> stand for what the two spell differently.</remarks>
internal static class ConversationSql
{
    private const string Mentions =
        """
        (SELECT string_agg(CAST(x.user_id AS text), ',') FROM mentions x
         WHERE x.conversation_id = e.conversation_id AND x.seq = CASE e.kind WHEN 'message' THEN e.seq WHEN 'edit' THEN e.target_seq END
            AND x.user_id NOT IN (SELECT z.user_id FROM erasures z WHERE z.conversation_id = e.conversation_id))
        """;

    /// <summary>Seq of the entry that erased the sender, while rows of the sender are still to be emptied. See 011_erasures.sql.</summary>
    private const string ErasedSeq =
        """
        CASE WHEN e.kind IN ('message', 'edit') THEN
            (SELECT x.seq FROM erasures x WHERE x.conversation_id = e.conversation_id AND x.user_id = e.sender_id) END
        """;

    /// <summary>The columns of an entry <c>e</c>, as <see cref="ConversationRows.ReadEntry"/> reads them.</summary>
    public const string EntryColumns =
        $"e.seq, e.kind, e.sender_id, e.sent_at, e.client_id, e.target_seq, e.reply_to, e.body, e.edited_seq, e.deleted_seq, {Mentions}, {ErasedSeq}";

    private const string Me =
        """
        WITH me AS (
            SELECT c.kind, c.head, m.visible_from, m.read_seq, m.role
            FROM conversations c LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = @user AND m.left_seq IS NULL
            WHERE c.id = @id
        )
        """;

    // The scalar subqueries leave one scan of the primary key in order, which the LIMIT ends.
    public const string ReadEntries =
        $"""
        {Me}
        SELECT me.kind, me.head, me.visible_from, {EntryColumns}
        FROM me LEFT JOIN (
            SELECT * FROM entries WHERE conversation_id = @id AND seq > MAX2(@after, (SELECT visible_from FROM me) - 1) ORDER BY seq LIMIT @limit
        ) e ON true
        ORDER BY e.seq
        """;

    public const string ReadMessages =
        $"""
        {Me}
        SELECT me.kind, me.head, me.visible_from, {EntryColumns},
            (SELECT string_agg(CAST(r.n AS text) || ':' || r.mine || ':' || r.emoji, CHR31) FROM (
                SELECT emoji, count(*) AS n, max(CASE WHEN user_id = @user THEN '1' ELSE '0' END) AS mine
                FROM reactions WHERE conversation_id = e.conversation_id AND seq = e.seq
                    AND user_id NOT IN (SELECT z.user_id FROM erasures z WHERE z.conversation_id = e.conversation_id) GROUP BY emoji) r)
        FROM me LEFT JOIN (
            SELECT * FROM (
                SELECT * FROM entries
                WHERE conversation_id = @id AND kind = 'message' AND seq < @pivot AND seq >= (SELECT visible_from FROM me) ORDER BY seq DESC LIMIT @left) earlier
            UNION ALL
            SELECT * FROM (
                SELECT * FROM entries
                WHERE conversation_id = @id AND kind = 'message' AND seq >= @pivot AND seq >= (SELECT visible_from FROM me) ORDER BY seq LIMIT @right) later
        ) e ON true
        ORDER BY e.seq
        """;

    private const string SummaryColumns =
        $"""
        SELECT c.id, c.kind, c.title, c.head, c.newcomers_see, c.closed_at, c.order_at, c.last_at, c.role, c.visible_from, c.read_seq, c.muted,
            o.user_id, u.name, u.avatar,
            (SELECT count(*) FROM (
                SELECT 1 FROM (
                    SELECT s.kind, s.sender_id, s.deleted_seq FROM entries s
                    WHERE s.conversation_id = c.id AND s.seq > MAX2(c.read_seq, c.visible_from - 1) ORDER BY s.seq LIMIT 1000) scanned
                WHERE scanned.kind = 'message' AND scanned.sender_id <> c.member_id AND scanned.deleted_seq IS NULL
                    AND scanned.sender_id NOT IN (SELECT user_id FROM erasures WHERE conversation_id = c.id) LIMIT 101) unread),
            (SELECT count(*) FROM (
                SELECT 1 FROM mentions x
                WHERE x.user_id = c.member_id AND x.conversation_id = c.id AND x.seq > MAX2(c.read_seq, c.visible_from - 1)
                    AND NOT EXISTS (SELECT 1 FROM entries q WHERE q.conversation_id = x.conversation_id AND q.seq = x.seq
                        AND (q.sender_id IN (SELECT blocked_id FROM blocks WHERE user_id = c.member_id)
                            OR q.sender_id IN (SELECT user_id FROM erasures WHERE conversation_id = c.id)))
                LIMIT 100) mentioned),
            {EntryColumns}
        """;

    private const string SummaryJoins =
        """
        LEFT JOIN members o ON c.kind = 'direct' AND o.conversation_id = c.id AND o.user_id <> c.member_id
        LEFT JOIN users u ON u.id = o.user_id
        LEFT JOIN entries e ON e.conversation_id = c.id AND e.seq = c.last_seq AND c.last_seq >= c.visible_from
        """;

    // A direct conversation without a message is shown to its creator only.
    public const string List =
        $"""
        {SummaryColumns}
        FROM (
            SELECT c.*, coalesce(c.last_at, c.created_at) AS order_at, m.role, m.visible_from, m.read_seq, m.muted, m.user_id AS member_id
            FROM members m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.user_id = @user AND m.left_seq IS NULL
                AND (coalesce(c.last_at, c.created_at) < @at OR coalesce(c.last_at, c.created_at) = @at AND c.id < @before)
                AND (c.kind <> 'direct' OR c.last_seq IS NOT NULL
                    OR EXISTS (SELECT 1 FROM entries f WHERE f.conversation_id = c.id AND f.seq = 1 AND f.sender_id = @user))
            ORDER BY order_at DESC, c.id DESC LIMIT @limit
        ) c
        {SummaryJoins}
        ORDER BY c.order_at DESC, c.id DESC
        """;

    public const string Find =
        $"""
        {SummaryColumns},
            CASE WHEN c.member_id IS NULL AND c.kind = 'channel' THEN (SELECT f.sender_id FROM entries f WHERE f.conversation_id = c.id AND f.seq = 1) END
        FROM (
            SELECT c.*, coalesce(c.last_at, c.created_at) AS order_at, m.role, m.visible_from, m.read_seq, m.muted, m.user_id AS member_id
            FROM conversations c LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = @user AND m.left_seq IS NULL
            WHERE c.id = @id
        ) c
        {SummaryJoins}
        """;

    public const string FindMany =
        $"""
        {SummaryColumns}, c.ord
        FROM (
            SELECT c.*, coalesce(c.last_at, c.created_at) AS order_at, m.role, m.visible_from, m.read_seq, m.muted, m.user_id AS member_id, parts.ord
            FROM PARTS parts
            JOIN members m ON m.conversation_id = parts.conversation_id AND m.user_id = parts.user_id AND m.left_seq IS NULL
            JOIN conversations c ON c.id = m.conversation_id
        ) c
        {SummaryJoins}
        """;

    public const string ReadOwn =
        $"""
        SELECT e.conversation_id, {EntryColumns}
        FROM members m JOIN entries e ON e.conversation_id = m.conversation_id AND e.sender_id = @user AND e.client_id IS NOT NULL AND e.deleted_seq IS NULL
            AND e.seq > CASE WHEN m.conversation_id = @id THEN @after ELSE 0 END
        WHERE m.user_id = @user AND m.conversation_id >= @id
        ORDER BY e.conversation_id, e.seq LIMIT @limit
        """;

    /// <summary>A page of the own messages in one conversation, in the order of an index that all senders' messages have.</summary>
    public const string ReadOwnOf =
        $"""
        SELECT e.conversation_id, {EntryColumns} FROM entries e
        WHERE e.conversation_id = @id AND e.sender_id = @user AND e.client_id >= @after AND (@first OR e.client_id <> @after) AND e.deleted_seq IS NULL
        ORDER BY e.client_id LIMIT @limit
        """;

    /// <summary>Conversations with own messages, those of which the user is a former member included.</summary>
    public const string FindOwn =
        """
        SELECT m.conversation_id FROM members m
        WHERE m.user_id = @user AND m.conversation_id > @id AND EXISTS (
            SELECT 1 FROM entries e
            WHERE e.conversation_id = m.conversation_id AND e.sender_id = @user AND e.client_id IS NOT NULL AND e.deleted_seq IS NULL)
        ORDER BY m.conversation_id LIMIT @limit
        """;

    public const string ListErased =
        """
        SELECT m.user_id, m.conversation_id FROM members m JOIN tombstones t ON t.id = m.user_id
        WHERE m.user_id > @user OR m.user_id = @user AND m.conversation_id > @id
        ORDER BY m.user_id, m.conversation_id LIMIT @limit
        """;

    public const string ListErasedOf =
        """
        SELECT m.user_id, m.conversation_id FROM members m JOIN tombstones t ON t.id = m.user_id
        WHERE m.user_id = @user AND m.conversation_id > @id ORDER BY m.conversation_id LIMIT @limit
        """;

    public const string ListErasures = "SELECT user_id, conversation_id FROM erasures ORDER BY user_id, conversation_id";

    public const string DeleteErasedBlocks =
        "DELETE FROM blocks WHERE user_id IN (SELECT id FROM tombstones) OR blocked_id IN (SELECT id FROM tombstones)";

    public const string DeleteErasedBlocksOf =
        "DELETE FROM blocks WHERE (user_id = @user OR blocked_id = @user) AND EXISTS (SELECT 1 FROM tombstones WHERE id = @user)";

    /// <summary>The marker of the member <c>m</c> that other members may know, see 008_shown_markers.sql.</summary>
    public const string ShownMarker = "CASE WHEN m.shown_seq >= m.joined_seq THEN m.shown_seq ELSE m.read_seq END";

    public const string ListMembers =
        $"""
        {Me}
        SELECT me.kind, me.role, m.user_id, u.name, u.avatar, m.role, CASE WHEN m.user_id = @user THEN m.read_seq ELSE {ShownMarker} END,
            (SELECT count(*) FROM (SELECT 1 FROM members n WHERE n.conversation_id = @id AND n.left_seq IS NULL LIMIT @receipts) counted)
        FROM me LEFT JOIN members m ON m.conversation_id = @id AND m.left_seq IS NULL AND m.user_id > @after AND me.role IS NOT NULL
        LEFT JOIN users u ON u.id = m.user_id
        ORDER BY m.user_id LIMIT @limit
        """;

    /// <summary>The conversations that a search reads: one, or the 200 most recent of the user.</summary>
    public const string SearchScope =
        """
        SELECT m.conversation_id, coalesce(c.last_at, c.created_at) AS order_at, c.created_at, c.head
        FROM members m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.user_id = @user AND m.left_seq IS NULL AND (@id = '00000000-0000-0000-0000-000000000000' OR m.conversation_id = @id)
        ORDER BY order_at DESC, c.id DESC LIMIT 200
        """;

    /// <summary>Those conversations of <see cref="SearchScope"/> in which the user is still a member, in the statement that reads the messages.</summary>
    public const string Readable =
        "SELECT m.conversation_id, m.visible_from FROM members m WHERE m.user_id = @user AND m.left_seq IS NULL AND m.conversation_id = ANY (@ids)";

    // The index of the title gives the order. A title that contains the text is found by reading titles in that order.
    public const string ListChannels =
        """
        SELECT c.id, c.title, (SELECT count(*) FROM (SELECT 1 FROM members n WHERE n.conversation_id = c.id AND n.left_seq IS NULL LIMIT 1000) counted), c.last_at,
            (SELECT f.sender_id FROM entries f WHERE f.conversation_id = c.id AND f.seq = 1)
        FROM conversations c
        WHERE c.kind = 'channel' AND c.closed_at IS NULL
            AND (BYTEWISE(lower(c.title)), c.id) > (BYTEWISE(lower(@title)), @after)
            AND (@part = '' OR CONTAINS(c.title, @part))
            AND NOT EXISTS (SELECT 1 FROM members m WHERE m.conversation_id = c.id AND m.user_id = @user AND (m.left_seq IS NULL OR m.removed_by IS NOT NULL))
        ORDER BY BYTEWISE(lower(c.title)), c.id LIMIT @limit
        """;

    public const string Load =
        $"""
        SELECT c.kind, c.title, c.newcomers_see, c.closed_at,
            coalesce((SELECT e.sent_at FROM entries e WHERE e.conversation_id = c.id AND e.seq = c.head), c.created_at),
            (SELECT count(*) FROM blocks b
             JOIN members x ON x.conversation_id = c.id AND x.user_id = b.user_id
             JOIN members y ON y.conversation_id = c.id AND y.user_id = b.blocked_id
             WHERE c.kind = 'direct'),
            m.user_id, m.role, m.visible_from, m.read_seq, m.joined_seq, {ShownMarker}
        FROM conversations c LEFT JOIN members m ON m.conversation_id = c.id AND m.left_seq IS NULL
        WHERE c.id = @id
        """;

    public const string FindEntries = $"SELECT {EntryColumns} FROM entries e WHERE e.conversation_id = @id AND e.seq = ANY (@seqs) ORDER BY e.seq";

    public const string FindReactions =
        """
        SELECT seq, user_id, emoji FROM reactions
        WHERE conversation_id = @id AND seq = ANY (@seqs) AND user_id NOT IN (SELECT z.user_id FROM erasures z WHERE z.conversation_id = @id)
        """;

    public const string FindByClientId =
        $"SELECT {EntryColumns} FROM entries e WHERE e.conversation_id = @id AND e.sender_id = @sender AND e.client_id = @client";

    public const string FindMembers = "SELECT user_id, role, left_seq, removed_by FROM members WHERE conversation_id = @id AND user_id = ANY (@users)";

    public const string FindMembership =
        """
        SELECT c.kind, m.user_id
        FROM conversations c LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = @user AND m.left_seq IS NULL
        WHERE c.id = @id
        """;

    public const string ReadNewest =
        $"SELECT * FROM (SELECT {EntryColumns} FROM entries e WHERE e.conversation_id = @id ORDER BY e.seq DESC LIMIT @count) newest ORDER BY seq";

    public const string FindReaction =
        """
        SELECT seq FROM entries
        WHERE conversation_id = @id AND target_seq = @target AND kind = 'reaction' AND sender_id = @sender AND body = @body ORDER BY seq DESC LIMIT 1
        """;

    // From the end, because little follows it.
    public const string FindClosed = "SELECT seq FROM entries WHERE conversation_id = @id AND kind = 'closed' ORDER BY seq DESC LIMIT 1";

    public const string LogId = "SELECT id FROM chat_log";

    public const string CheckUsers =
        """
        SELECT u.id, (SELECT count(*) FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = @user OR b.user_id = @user AND b.blocked_id = u.id),
            (SELECT count(*) FROM (SELECT 1 FROM members m WHERE m.user_id = u.id AND m.left_seq IS NULL LIMIT @most) counted)
        FROM users u WHERE u.id = ANY (@users) AND u.disabled_at IS NULL
        """;

    public const string Block = "INSERT INTO blocks (user_id, blocked_id) VALUES (@user, @blocked) ON CONFLICT DO NOTHING";

    public const string Unblock = "DELETE FROM blocks WHERE user_id = @user AND blocked_id = @blocked";

    public const string ListBlocked =
        """
        SELECT u.id, u.name, u.avatar FROM blocks b JOIN users u ON u.id = b.blocked_id
        WHERE b.user_id = @user AND b.blocked_id > @after ORDER BY b.blocked_id LIMIT @limit
        """;

    public const string SetMuted = "UPDATE members SET muted = @muted WHERE conversation_id = @id AND user_id = @user AND left_seq IS NULL";

    /// <summary>SQLite's own functions know the case of ASCII letters alone, so the store adds this function to the connection.</summary>
    public const string ContainsFunction = "pulse_contains";

    private static readonly ConcurrentDictionary<string, string> s_ofSqlite = new(StringComparer.Ordinal);

    private static readonly ConcurrentDictionary<string, string> s_ofPostgres = new(StringComparer.Ordinal);

    /// <summary>The statement as SQLite spells it. Each of the few statements is translated once.</summary>
    public static string ForSqlite(string sql) => s_ofSqlite.GetOrAdd(sql, static text => Regex.Replace(
        text.Replace("MAX2(", "max(", StringComparison.Ordinal).Replace("CHR31", "char(31)", StringComparison.Ordinal)
            .Replace("BYTEWISE(", "(", StringComparison.Ordinal).Replace("CONTAINS(", $"{ContainsFunction}(", StringComparison.Ordinal)
            .Replace(
                "FROM PARTS parts",
                "FROM (SELECT u.value AS user_id, i.value AS conversation_id, u.key + 1 AS ord "
                    + "FROM json_each(@users) u JOIN json_each(@ids) i ON i.key = u.key) parts",
                StringComparison.Ordinal),
        @"= ANY \((@\w+)\)", "IN (SELECT value FROM json_each($1))"));

    /// <summary>The statement as PostgreSQL spells it. Each of the few statements is translated once.</summary>
    public static string ForPostgres(string sql) => s_ofPostgres.GetOrAdd(sql, static text => text
        .Replace("MAX2(", "greatest(", StringComparison.Ordinal).Replace("CHR31", "chr(31)", StringComparison.Ordinal)
        .Replace("BYTEWISE(lower(c.title))", "lower(c.title) COLLATE \"C\"", StringComparison.Ordinal)
        .Replace("BYTEWISE(lower(@title))", "lower(@title) COLLATE \"C\"", StringComparison.Ordinal)
        .Replace("CONTAINS(c.title, @part)", "position(lower(@part) IN lower(c.title)) > 0", StringComparison.Ordinal)
        .Replace("FROM PARTS parts", "FROM unnest(@users, @ids) WITH ORDINALITY AS parts (user_id, conversation_id, ord)", StringComparison.Ordinal));
}
