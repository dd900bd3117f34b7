-- Erasing a member with many messages takes several transactions. The embedded twin of postgres/011_erasures.sql, which has the rules. The steps are
-- statements of the store (SqliteConversationStore).

CREATE TABLE erasures (
    conversation_id  TEXT     NOT NULL,
    user_id          TEXT     NOT NULL,
    -- The seq of the entry sender-erased.
    seq              INTEGER  NOT NULL,
    -- The client id of the next message to empty. NULL after the last one.
    next_client      TEXT     NULL DEFAULT '',
    -- The user's reactions up to this seq are deleted.
    reactions_after  INTEGER  NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;
