-- Conversations, their members and their logs.
--
-- What must stay true:
--   * entries (conversation_id, seq) is a conversation's log. The seqs of one conversation are 1, 2, 3, … without gaps, and seq is the only order.
--     sent_at grows with seq or stays the same. Rows are added by chat_append_1 alone, and by the INSERT that creates the conversation.
--   * conversations.head is the highest seq of the log. The grain of the conversation raises epoch when it takes over (chat_claim_1). An append names
--     the epoch and the head that it builds on, and is refused if either differs. So after a claim the statements of earlier epochs are refused, however
--     late they arrive.
--   * One sender's client id makes at most one entry of a conversation.
--   * A message's row holds its newest text. edited_seq and deleted_seq are the seqs of its newest edit and of its deletion. After a deletion the
--     bodies of the message and of all its edits are NULL, and the message has no rows in mentions and reactions.
--   * members: a row with left_seq is a former member, and reads are refused. visible_from is the first seq that a member may read. read_seq only
--     grows.
--   * mentions holds the mentions of the newest text, of members other than the sender. The deletion of a message deletes its rows.
--   * Foreign keys to users or conversations are left out, because each append would lock rows of other users. Erasing a user deletes the user's rows
--     here (ErasedMembers).
--   * A released file is never edited: a change is the next number, and a changed function gets the next name.

CREATE TABLE conversations (
    id             uuid         NOT NULL CONSTRAINT conversations_pkey PRIMARY KEY,
    kind           text         NOT NULL CHECK (kind IN ('direct', 'group', 'channel')),
    title          text         NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    head           bigint       NOT NULL DEFAULT 0,
    epoch          bigint       NOT NULL DEFAULT 0,
    -- Of the newest message; other entries do not move a conversation to the top of a list.
    last_seq       bigint       NULL,
    last_at        timestamptz  NULL,
    newcomers_see  text         NOT NULL DEFAULT 'all' CHECK (newcomers_see IN ('all', 'since-joining')),
    closed_at      timestamptz  NULL,
    created_at     timestamptz  NOT NULL DEFAULT now()
) WITH (fillfactor = 70); -- Each append updates its row: in place, because no index has a column that changes.

CREATE TABLE members (
    conversation_id  uuid     NOT NULL,
    user_id          uuid     NOT NULL,
    role             text     NOT NULL CHECK (role IN ('owner', 'moderator', 'member', 'reader')),
    joined_seq       bigint   NOT NULL,
    visible_from     bigint   NOT NULL,
    left_seq         bigint   NULL,
    removed_by       uuid     NULL,
    read_seq         bigint   NOT NULL DEFAULT 0,
    muted            boolean  NOT NULL DEFAULT false,
    CONSTRAINT members_pkey PRIMARY KEY (conversation_id, user_id)
) WITH (fillfactor = 80);

CREATE INDEX members_user_id_idx ON members (user_id);

CREATE TABLE entries (
    conversation_id  uuid         NOT NULL,
    seq              bigint       NOT NULL CHECK (seq > 0),
    kind             text         NOT NULL,
    sender_id        uuid         NOT NULL,
    client_id        uuid         NULL,
    target_seq       bigint       NULL,
    reply_to         bigint       NULL,
    -- The plain text of a message or an edit, JSON of the other kinds.
    body             text         NULL,
    sent_at          timestamptz  NOT NULL,
    edited_seq       bigint       NULL,
    deleted_seq      bigint       NULL,
    CONSTRAINT entries_pkey PRIMARY KEY (conversation_id, seq)
);

CREATE UNIQUE INDEX entries_client_id_key ON entries (conversation_id, sender_id, client_id) WHERE client_id IS NOT NULL;
-- The edits whose bodies a deletion empties, and the reactions to a message.
CREATE INDEX entries_target_idx ON entries (conversation_id, target_seq) WHERE target_seq IS NOT NULL;

CREATE TABLE mentions (
    user_id          uuid    NOT NULL,
    conversation_id  uuid    NOT NULL,
    seq              bigint  NOT NULL,
    CONSTRAINT mentions_pkey PRIMARY KEY (user_id, conversation_id, seq)
);

CREATE INDEX mentions_message_idx ON mentions (conversation_id, seq);

CREATE TABLE reactions (
    conversation_id  uuid    NOT NULL,
    seq              bigint  NOT NULL,
    user_id          uuid    NOT NULL,
    emoji            text    NOT NULL CHECK (octet_length(emoji) BETWEEN 1 AND 32),
    CONSTRAINT reactions_pkey PRIMARY KEY (conversation_id, seq, user_id, emoji)
);

CREATE TABLE blocks (
    user_id     uuid  NOT NULL,
    blocked_id  uuid  NOT NULL,
    CONSTRAINT blocks_pkey PRIMARY KEY (user_id, blocked_id)
);

CREATE INDEX blocks_blocked_id_idx ON blocks (blocked_id);

-- One row: the log id, which clients compare. An operator who restores a backup changes it (docs/chat.md).
CREATE TABLE chat_log (
    id  uuid  NOT NULL DEFAULT gen_random_uuid()
);

INSERT INTO chat_log DEFAULT VALUES;

-- Takes over conversations: waits for the row locks, raises the epochs. if_epochs: only a conversation that still has this epoch; -1 for any.
-- The rows are locked in the order of their ids, so that two silos that claim the same ones wait for each other in one direction.
CREATE FUNCTION chat_claim_1(ids uuid[], if_epochs bigint[])
RETURNS TABLE (o_id uuid, o_epoch bigint, o_head bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM conversations c WHERE c.id = ANY (ids) ORDER BY c.id FOR NO KEY UPDATE;
    RETURN QUERY
        UPDATE conversations c SET epoch = c.epoch + 1
        FROM unnest(ids, if_epochs) AS r (id, if_epoch)
        WHERE c.id = r.id AND (r.if_epoch < 0 OR c.epoch = r.if_epoch)
        RETURNING c.id, c.epoch, c.head;
END $$;

-- Appends one run of entries to each of several conversations. Each run is stored whole or left out whole. The function waits for no lock. Its answer
-- for each conversation:
--   stored  The entries are in the log.
--   known   The run was left out, because a client id of it is in the log already.
--   busy    The run was left out, because another session has the row locked.
--   fenced  The run was left out, because epoch or head differs.
-- Unknown conversations are missing in the answer. runs[i] is the index in ids of the conversation of entry i. users, roles and froms are for
-- member-added, member-removed and role-changed. Mentions are rows of their own, of the message with that seq or of the edit with that seq.
-- Call it in autocommit mode with distinct ids.
CREATE FUNCTION chat_append_1(
    ids uuid[], epochs bigint[], heads bigint[],
    runs int[], seqs bigint[], kinds text[], senders uuid[], clients uuid[], targets bigint[], replies bigint[], bodies text[], ats timestamptz[],
    users uuid[], roles text[], froms bigint[],
    mention_run int[], mention_seq bigint[], mention_user uuid[])
RETURNS TABLE (o_id uuid, o_result text) LANGUAGE plpgsql AS $$
DECLARE
    mine uuid[];
    known uuid[];
    ready uuid[];
    e record;
BEGIN
    -- 1. Takes free rows only: an append neither waits nor takes part in a deadlock.
    SELECT array_agg(l.id) INTO mine FROM (
        SELECT c.id FROM conversations c JOIN unnest(ids, epochs, heads) AS r (id, epoch, head)
            ON c.id = r.id AND c.epoch = r.epoch AND c.head = r.head
        FOR NO KEY UPDATE OF c SKIP LOCKED) l;

    -- 2. A new statement has a new snapshot, taken under the locks: the check of the client ids is exact.
    SELECT array_agg(DISTINCT o.conversation_id) INTO known
    FROM unnest(runs, senders, clients) AS u (run, sender, client)
    JOIN entries o ON o.conversation_id = ids[u.run] AND o.sender_id = u.sender AND o.client_id = u.client
    WHERE ids[u.run] = ANY (mine);
    SELECT array_agg(m.id) INTO ready FROM unnest(mine) AS m (id) WHERE known IS NULL OR m.id <> ALL (known);

    -- 3. The entries and the heads.
    IF ready IS NOT NULL THEN
        WITH fresh AS (
            SELECT ids[u.run] AS cid, u.* FROM unnest(runs, seqs, kinds, senders, clients, targets, replies, bodies, ats)
                AS u (run, seq, kind, sender, client, target, reply, body, at)
            WHERE ids[u.run] = ANY (ready)
        ), moved AS (
            UPDATE conversations c SET head = m.top, last_seq = coalesce(m.message, c.last_seq), last_at = coalesce(m.message_at, c.last_at)
            FROM (SELECT cid, max(seq) AS top, max(seq) FILTER (WHERE kind = 'message') AS message, max(at) FILTER (WHERE kind = 'message') AS message_at
                  FROM fresh GROUP BY cid) m
            WHERE c.id = m.cid
        )
        INSERT INTO entries (conversation_id, seq, kind, sender_id, client_id, target_seq, reply_to, body, sent_at)
        SELECT cid, seq, kind, sender, client, target, reply, body, at FROM fresh;

        IF cardinality(mention_run) > 0 THEN
            INSERT INTO mentions (user_id, conversation_id, seq)
            SELECT m.user_id, ids[m.run], m.seq
            FROM unnest(mention_run, mention_seq, mention_user) AS m (run, seq, user_id)
            JOIN unnest(runs, seqs, kinds) AS u (run, seq, kind) ON u.run = m.run AND u.seq = m.seq AND u.kind = 'message'
            WHERE ids[m.run] = ANY (ready)
            ON CONFLICT DO NOTHING;
        END IF;

        -- 4. What entries other than messages change, in the order of the log.
        IF EXISTS (SELECT 1 FROM unnest(kinds) AS k (kind) WHERE k.kind <> 'message') THEN
            FOR e IN
                SELECT ids[u.run] AS cid, u.* FROM unnest(runs, seqs, kinds, senders, targets, bodies, users, roles, froms)
                    AS u (run, seq, kind, sender, target, body, user_id, role, visible_from)
                WHERE ids[u.run] = ANY (ready) AND u.kind <> 'message'
                ORDER BY u.run, u.seq
            LOOP
                CASE e.kind
                WHEN 'edit' THEN
                    UPDATE entries SET body = e.body, edited_seq = e.seq WHERE conversation_id = e.cid AND seq = e.target;
                    DELETE FROM mentions WHERE conversation_id = e.cid AND seq = e.target;
                    INSERT INTO mentions (user_id, conversation_id, seq)
                    SELECT m.user_id, e.cid, e.target FROM unnest(mention_run, mention_seq, mention_user) AS m (run, seq, user_id)
                    WHERE m.run = e.run AND m.seq = e.seq ON CONFLICT DO NOTHING;
                WHEN 'delete' THEN
                    UPDATE entries SET body = NULL, deleted_seq = e.seq WHERE conversation_id = e.cid AND seq = e.target;
                    UPDATE entries SET body = NULL WHERE conversation_id = e.cid AND target_seq = e.target AND kind = 'edit';
                    DELETE FROM mentions WHERE conversation_id = e.cid AND seq = e.target;
                    DELETE FROM reactions WHERE conversation_id = e.cid AND seq = e.target;
                WHEN 'reaction' THEN
                    IF (e.body::jsonb ->> 'on')::boolean THEN
                        INSERT INTO reactions (conversation_id, seq, user_id, emoji) VALUES (e.cid, e.target, e.sender, e.body::jsonb ->> 'emoji')
                        ON CONFLICT DO NOTHING;
                    ELSE
                        DELETE FROM reactions
                        WHERE conversation_id = e.cid AND seq = e.target AND user_id = e.sender AND emoji = e.body::jsonb ->> 'emoji';
                    END IF;
                WHEN 'member-added' THEN
                    INSERT INTO members (conversation_id, user_id, role, joined_seq, visible_from, read_seq)
                    VALUES (e.cid, e.user_id, e.role, e.seq, e.visible_from, e.seq)
                    ON CONFLICT (conversation_id, user_id) DO UPDATE
                    SET role = e.role, joined_seq = e.seq, visible_from = e.visible_from, read_seq = e.seq, left_seq = NULL, removed_by = NULL, muted = false;
                WHEN 'member-removed' THEN
                    UPDATE members SET left_seq = e.seq, removed_by = CASE WHEN e.sender <> e.user_id THEN e.sender END
                    WHERE conversation_id = e.cid AND user_id = e.user_id;
                WHEN 'role-changed' THEN
                    UPDATE members SET role = e.role WHERE conversation_id = e.cid AND user_id = e.user_id;
                WHEN 'renamed' THEN
                    UPDATE conversations SET title = e.body::jsonb ->> 'title' WHERE id = e.cid;
                WHEN 'rules-changed' THEN
                    UPDATE conversations SET newcomers_see = e.body::jsonb ->> 'newcomersSee' WHERE id = e.cid;
                WHEN 'sender-erased' THEN
                    DELETE FROM mentions x USING entries o
                    WHERE o.conversation_id = e.cid AND o.sender_id = e.sender AND o.client_id IS NOT NULL
                        AND x.conversation_id = o.conversation_id AND x.seq = o.seq;
                    DELETE FROM mentions WHERE user_id = e.sender AND conversation_id = e.cid;
                    DELETE FROM reactions WHERE conversation_id = e.cid AND user_id = e.sender;
                    -- By the indexes of client ids and of targets: the log itself is not scanned.
                    UPDATE entries SET body = NULL, deleted_seq = coalesce(deleted_seq, e.seq)
                    WHERE conversation_id = e.cid AND sender_id = e.sender AND client_id IS NOT NULL;
                    UPDATE entries SET body = NULL
                    WHERE conversation_id = e.cid AND target_seq IS NOT NULL AND kind = 'edit' AND sender_id = e.sender;
                    DELETE FROM members WHERE conversation_id = e.cid AND user_id = e.sender;
                WHEN 'closed' THEN
                    UPDATE conversations SET closed_at = (SELECT sent_at FROM entries WHERE conversation_id = e.cid AND seq = e.seq) WHERE id = e.cid;
                ELSE
                    NULL;
                END CASE;
            END LOOP;
        END IF;
    END IF;

    RETURN QUERY SELECT c.id, CASE
        WHEN c.id = ANY (ready) THEN 'stored'
        WHEN c.id = ANY (known) THEN 'known'
        WHEN c.epoch = r.epoch AND c.head = r.head THEN 'busy'
        ELSE 'fenced' END
    FROM conversations c JOIN unnest(ids, epochs, heads) AS r (id, epoch, head) ON c.id = r.id;
END $$;
