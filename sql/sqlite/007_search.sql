-- Full-text search in messages, and the order of the list of channels. The embedded twin of postgres/007_search.sql.
--
-- What must stay true:
--   * Every message that is not deleted has a row in message_search with the words of its newest text; its rowid is message_rows.id. The store writes it
--     in the transaction of the append (SqliteConversationStore).
--   * Rows of message_rows stay when their messages are deleted.

CREATE TABLE message_rows (
    id               INTEGER  NOT NULL PRIMARY KEY,
    conversation_id  TEXT     NOT NULL,
    seq              INTEGER  NOT NULL,
    UNIQUE (conversation_id, seq)
) STRICT;

-- The store passes lower-case words divided by blanks. Marks belong to words, and letters keep their diacritics, as in PostgreSQL.
CREATE VIRTUAL TABLE message_search USING fts5 (conversation, words, tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Co'");

-- Removes the words of a deleted message from the index at once, instead of at a later merge.
INSERT INTO message_search (message_search, rank) VALUES ('secure-delete', 1);

INSERT INTO message_rows (conversation_id, seq)
SELECT conversation_id, seq FROM entries WHERE kind = 'message' ORDER BY sent_at, conversation_id, seq;

INSERT INTO message_search (rowid, conversation, words)
SELECT r.id, replace(e.conversation_id, '-', ''), e.body
FROM message_rows r JOIN entries e ON e.conversation_id = r.conversation_id AND e.seq = r.seq WHERE e.deleted_seq IS NULL;

CREATE INDEX conversations_channel_title_idx ON conversations (lower(title), id) WHERE kind = 'channel' AND closed_at IS NULL;
