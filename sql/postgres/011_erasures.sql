-- Erasing a member with many messages takes several transactions.
--
-- These rules must hold:
--   * erasures has one row for each conversation and erased user with rows that are still to be emptied. The append of sender-erased writes it, in the
--     transaction that deletes the user's row in members. chat_erase_1 deletes it, in the transaction that empties the last row.
--   * While that row is there, a message or an edit of that sender counts as emptied: reads give it without text and mentions, and a message
--     has its deleted_seq or otherwise erasures.seq. Searches and counts leave these messages out. Readers see the same before, between and after the steps.
--   * Silos of earlier versions erase with chat_append_1, in one step. The rows are the same in the end. These silos ignore this
--     table: until the last step they show the texts that are left, which are those beyond the first hundred.
--   * chat_append_2 differs from chat_append_1 (006_chat.sql) only in sender-erased.

CREATE TABLE erasures (
    conversation_id  uuid         NOT NULL,
    user_id          uuid         NOT NULL,
    -- The seq of the entry sender-erased.
    seq              bigint       NOT NULL,
    -- The client id of the next message to empty. NULL after the last one.
    next_client      uuid         NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    -- The user's reactions up to this seq are deleted.
    reactions_after  bigint       NOT NULL DEFAULT 0,
    -- The silo that has made the latest step, and when. Others leave the conversation to it for a while.
    worker           uuid         NULL,
    worked_at        timestamptz  NULL,
    CONSTRAINT erasures_pkey PRIMARY KEY (conversation_id, user_id)
);

-- Empties the next messages of an erased user in one conversation, at most that many, by the index of client ids instead of a scan of the log. The
-- row of the conversation is locked, as in an append, because both change the same rows. Keep the steps short: sends wait meanwhile.
-- The answer:
--   more   Call it again.
--   done   All rows are emptied.
--   taken  Another worker has made a step in the last ten seconds.
CREATE FUNCTION chat_erase_1(cid uuid, uid uuid, by_worker uuid, most int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    work erasures%ROWTYPE;
    clients uuid[];
    messages bigint[];
    edited int;
    mentioned int;
    reacted int;
    last_seq bigint;
    is_done boolean := false;
BEGIN
    PERFORM 1 FROM conversations c WHERE c.id = cid FOR NO KEY UPDATE;
    SELECT * INTO work FROM erasures x WHERE x.conversation_id = cid AND x.user_id = uid;
    IF NOT FOUND THEN RETURN 'done'; END IF;
    IF work.worker <> by_worker AND work.worked_at > now() - interval '10 seconds' THEN RETURN 'taken'; END IF;

    IF work.next_client IS NOT NULL THEN
        -- 1. The messages, and one more, at which the next step begins.
        SELECT array_agg(m.client_id ORDER BY m.client_id), array_agg(m.seq ORDER BY m.client_id) INTO clients, messages FROM (
            SELECT e.client_id, e.seq FROM entries e
            WHERE e.conversation_id = cid AND e.sender_id = uid AND e.client_id >= work.next_client
            ORDER BY e.client_id LIMIT most + 1) m;
        messages := messages[1:most];
        UPDATE entries e SET body = NULL, deleted_seq = coalesce(e.deleted_seq, work.seq)
        WHERE e.conversation_id = cid AND e.seq = ANY (messages) AND (e.body IS NOT NULL OR e.deleted_seq IS NULL);

        -- 2. Their edits and mentions. If there are more than a step takes, the next step begins at the same message.
        UPDATE entries e SET body = NULL WHERE e.conversation_id = cid AND e.seq = ANY (ARRAY(
            SELECT d.seq FROM entries d
            WHERE d.conversation_id = cid AND d.target_seq IS NOT NULL AND d.target_seq = ANY (messages) AND d.kind = 'edit' AND d.body IS NOT NULL
            LIMIT most));
        GET DIAGNOSTICS edited = ROW_COUNT;
        DELETE FROM mentions x WHERE x.ctid = ANY (ARRAY(
            SELECT d.ctid FROM mentions d WHERE d.conversation_id = cid AND d.seq = ANY (messages) LIMIT most));
        GET DIAGNOSTICS mentioned = ROW_COUNT;
        IF edited < most AND mentioned < most THEN work.next_client := clients[most + 1]; END IF;
    END IF;

    IF work.next_client IS NULL THEN
        -- 3. The mentions of the user, and the user's reactions. The reactions of the conversation are read in their order, because an index by user is missing.
        DELETE FROM mentions x WHERE x.ctid = ANY (ARRAY(
            SELECT d.ctid FROM mentions d WHERE d.user_id = uid AND d.conversation_id = cid LIMIT most));
        GET DIAGNOSTICS mentioned = ROW_COUNT;
        SELECT count(*), max(r.seq) INTO reacted, last_seq FROM (
            SELECT d.seq FROM reactions d WHERE d.conversation_id = cid AND d.seq > work.reactions_after ORDER BY d.seq LIMIT 10 * most) r;
        DELETE FROM reactions r WHERE r.conversation_id = cid AND r.seq > work.reactions_after AND r.seq <= last_seq AND r.user_id = uid;
        work.reactions_after := coalesce(last_seq, work.reactions_after);
        is_done := mentioned < most AND reacted < 10 * most;
    END IF;

    IF is_done THEN
        DELETE FROM erasures x WHERE x.conversation_id = cid AND x.user_id = uid;
        RETURN 'done';
    END IF;

    UPDATE erasures x SET next_client = work.next_client, reactions_after = work.reactions_after, worker = by_worker, worked_at = now()
    WHERE x.conversation_id = cid AND x.user_id = uid;
    RETURN 'more';
END $$;

-- As chat_append_1, except that sender-erased empties only the first messages at once. The others are left to chat_erase_1.
CREATE FUNCTION chat_append_2(
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
                    DELETE FROM members WHERE conversation_id = e.cid AND user_id = e.sender;
                    INSERT INTO erasures (conversation_id, user_id, seq) VALUES (e.cid, e.sender, e.seq)
                    ON CONFLICT (conversation_id, user_id) DO UPDATE SET next_client = DEFAULT, reactions_after = DEFAULT;
                    PERFORM chat_erase_1(e.cid, e.sender, NULL, 100);
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
