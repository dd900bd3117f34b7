-- Full-text search in messages, and the order of the list of channels.
--
-- These rules must hold:
--   * entries_search_idx holds every message that is not deleted, with its newest text, and nothing else. It is an index on an expression: an append, an
--     edit, a deletion and an erasure change it as they change the row, so no statement has to maintain it.
--   * Besides its words a message has three lexemes that no word is a prefix of, because chat_search_1 replaces ':' by a blank: ':c' and its conversation,
--     ':h' and ':d' and the hour and the day of sent_at, counted from 2000-01-01 UTC. A search combines them with the words, so it reads the messages of the
--     caller's conversations alone, and reads the newest hours and days first. btree_gin could do the first of the two. It is an extension of a package
--     that not every server has, and not every owner of a database may create it.
--   * A query uses the index only if it calls chat_search_1 and repeats the condition of the index.
--
-- Appends wait until the index is built. With more than a few hundred thousand messages, create the function and the index before the upgrade, with
-- CREATE INDEX CONCURRENTLY (docs/chat.md): this script keeps what exists.

-- The lexemes of a message. Ten characters become blanks, because otherwise the parser of PostgreSQL would take 'example.com/a-b' for one host and
-- one path. They are the only ones that it sees in words, and translate takes time for each of them. An ASCII text needs no normalization. The function calls
-- no other function of this schema, because pg_restore and PostgreSQL 17 build and analyse indexes without the schema in search_path.
CREATE OR REPLACE FUNCTION chat_search_1(conversation_id uuid, sent_at timestamptz, body text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(ARRAY[
            ':c' || conversation_id::text,
            ':h' || floor(date_part('epoch', sent_at - timestamptz '2000-01-01 00:00:00+00') / 3600)::bigint::text,
            ':d' || floor(date_part('epoch', sent_at - timestamptz '2000-01-01 00:00:00+00') / 86400)::bigint::text])
        || to_tsvector('pg_catalog.simple', translate(
            CASE WHEN octet_length(body) = char_length(body) THEN body ELSE normalize(body, NFKC) END, '-./:&<+@_~', '          '))
$$;

CREATE INDEX IF NOT EXISTS entries_search_idx ON entries USING gin (chat_search_1(conversation_id, sent_at, body))
    WHERE kind = 'message' AND deleted_seq IS NULL;

-- The order of GET /channels. The collation "C" makes it the same on every server.
CREATE INDEX IF NOT EXISTS conversations_channel_title_idx ON conversations (lower(title) COLLATE "C", id) WHERE kind = 'channel' AND closed_at IS NULL;
