-- Conversations, their members and their logs. The embedded twin of postgres/006_chat.sql, which says what must stay true. SQLite has one writer at a
-- time, so the claim and the append are statements of one transaction (SqliteConversationStore).

CREATE TABLE conversations (
    id             TEXT     NOT NULL PRIMARY KEY CHECK (id GLOB '????????-????-????-????-????????????' AND id = lower(id)),
    kind           TEXT     NOT NULL CHECK (kind IN ('direct', 'group', 'channel')),
    title          TEXT     NULL CHECK (length(title) BETWEEN 1 AND 200),
    head           INTEGER  NOT NULL DEFAULT 0,
    epoch          INTEGER  NOT NULL DEFAULT 0,
    last_seq       INTEGER  NULL,
    last_at        TEXT     NULL CHECK (last_at GLOB '????-??-??T??:??:??.??????Z'),
    newcomers_see  TEXT     NOT NULL DEFAULT 'all' CHECK (newcomers_see IN ('all', 'since-joining')),
    closed_at      TEXT     NULL CHECK (closed_at GLOB '????-??-??T??:??:??.??????Z'),
    created_at     TEXT     NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

CREATE TABLE members (
    conversation_id  TEXT     NOT NULL,
    user_id          TEXT     NOT NULL CHECK (user_id GLOB '????????-????-????-????-????????????' AND user_id = lower(user_id)),
    role             TEXT     NOT NULL CHECK (role IN ('owner', 'moderator', 'member', 'reader')),
    joined_seq       INTEGER  NOT NULL,
    visible_from     INTEGER  NOT NULL,
    left_seq         INTEGER  NULL,
    removed_by       TEXT     NULL,
    read_seq         INTEGER  NOT NULL DEFAULT 0,
    muted            INTEGER  NOT NULL DEFAULT 0 CHECK (muted IN (0, 1)),
    PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_user_id_idx ON members (user_id);

CREATE TABLE entries (
    conversation_id  TEXT     NOT NULL,
    seq              INTEGER  NOT NULL CHECK (seq > 0),
    kind             TEXT     NOT NULL,
    sender_id        TEXT     NOT NULL CHECK (sender_id GLOB '????????-????-????-????-????????????' AND sender_id = lower(sender_id)),
    client_id        TEXT     NULL CHECK (client_id GLOB '????????-????-????-????-????????????' AND client_id = lower(client_id)),
    target_seq       INTEGER  NULL,
    reply_to         INTEGER  NULL,
    body             TEXT     NULL,
    sent_at          TEXT     NOT NULL CHECK (sent_at GLOB '????-??-??T??:??:??.??????Z'),
    edited_seq       INTEGER  NULL,
    deleted_seq      INTEGER  NULL,
    PRIMARY KEY (conversation_id, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX entries_client_id_key ON entries (conversation_id, sender_id, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX entries_target_idx ON entries (conversation_id, target_seq) WHERE target_seq IS NOT NULL;

CREATE TABLE mentions (
    user_id          TEXT     NOT NULL,
    conversation_id  TEXT     NOT NULL,
    seq              INTEGER  NOT NULL,
    PRIMARY KEY (user_id, conversation_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX mentions_message_idx ON mentions (conversation_id, seq);

CREATE TABLE reactions (
    conversation_id  TEXT     NOT NULL,
    seq              INTEGER  NOT NULL,
    user_id          TEXT     NOT NULL,
    emoji            TEXT     NOT NULL CHECK (length(CAST(emoji AS BLOB)) BETWEEN 1 AND 32),
    PRIMARY KEY (conversation_id, seq, user_id, emoji)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
    user_id     TEXT  NOT NULL,
    blocked_id  TEXT  NOT NULL,
    PRIMARY KEY (user_id, blocked_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX blocks_blocked_id_idx ON blocks (blocked_id);

CREATE TABLE chat_log (
    id  TEXT  NOT NULL
) STRICT;

-- A random UUID of version 4.
INSERT INTO chat_log (id) VALUES (lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))));
