-- The index of words: mended where its build had failed, and with a short pending list.
--
-- These rules must hold:
--   * entries_search_idx is valid. A CREATE INDEX CONCURRENTLY that fails leaves an index that appends maintain and searches ignore, and the IF NOT EXISTS
--     of 007_search.sql kept such an index. It is dropped here and built again.
--   * The pending list of entries_search_idx stays below 128 KiB. Each statement of a search reads the whole list, and the append that fills the list moves
--     it into the sorted index. With PostgreSQL's limit of 4 MiB, searches were slow while messages were written, and that append had too little time.
--     With fastupdate = off, each append would take more time than the searches save (docs/performance.md).
--
-- Silos of earlier versions work with this index as before. Appends wait while the limit changes, for some milliseconds, because the list is emptied
-- before.

DO $$
BEGIN
    -- An index that is still being built is left alone.
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('entries_search_idx') AND NOT indisvalid)
        AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE relid = 'entries'::regclass) THEN
        DROP INDEX entries_search_idx;
    END IF;
END
$$;

CREATE INDEX IF NOT EXISTS entries_search_idx ON entries USING gin (chat_search_1(conversation_id, sent_at, body)) WITH (gin_pending_list_limit = 128)
    WHERE kind = 'message' AND deleted_seq IS NULL;

SELECT gin_clean_pending_list('entries_search_idx');
ALTER INDEX entries_search_idx SET (fastupdate = on, gin_pending_list_limit = 128);
