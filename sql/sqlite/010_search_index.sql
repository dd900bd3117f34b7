-- The order in which a search reads messages. Where postgres/010_search_index.sql keeps the index of words fast, this script lets a search stop early.
--
-- What must stay true:
--   * message_rows.newest_at is the latest sent_at of this row and of all rows with lower ids, so it grows with the id. A search reads the newest rows first,
--     and stops when it has a page of messages that are later than the newest_at of the next row. The ids alone give another order, because
--     two conversations can store their messages in another order than they were sent.
ALTER TABLE message_rows ADD COLUMN newest_at TEXT NOT NULL DEFAULT '';

UPDATE message_rows SET newest_at = coalesce(n.newest_at, '')
FROM (
    SELECT r.id, max(e.sent_at) OVER (ORDER BY r.id) AS newest_at
    FROM message_rows r LEFT JOIN entries e ON e.conversation_id = r.conversation_id AND e.seq = r.seq
) n WHERE n.id = message_rows.id;
