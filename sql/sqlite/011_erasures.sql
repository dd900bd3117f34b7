-- Erasing a member with many messages takes several transactions. The embedded twin of postgres/011_erasures.sql, which has the rules. The steps are
-- statements of the store (SqliteConversationStore).

CREATE TABLE erasures (
    conversation_id  TEXT     NOT NULL,
    user_id          TEXT     NOT NULL,
    -- Of the entry sender-erased.
    seq              INTEGER  NOT NULL,
    -- The first client id whose message is not emptied yet. NULL: all are.
    next_client      TEXT     NULL DEFAULT '',
    -- The user's reactions up to this seq are deleted.
    reactions_after  INTEGER  NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;
