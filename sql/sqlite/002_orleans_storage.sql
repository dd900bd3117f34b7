-- Where grains keep state that has no row of its own. The embedded twin of postgres/002_orleans_storage.sql, which has the rules.
--
-- SQLite has one writer at a time, so one guarded statement needs no further locking. Orleans knows this driver as "System.Data.SQLite".

CREATE TABLE OrleansStorage (
    service_id       TEXT     NOT NULL,
    grain_type       TEXT     NOT NULL,
    grain_id_n0      INTEGER  NOT NULL,
    grain_id_n1      INTEGER  NOT NULL,
    grain_id_string  TEXT     NOT NULL,   -- empty where the key lacks a string part, because NULLs would all be different
    version          INTEGER  NOT NULL,
    payload          BLOB     NULL,
    modified_at      TEXT     NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
    PRIMARY KEY (service_id, grain_type, grain_id_n0, grain_id_n1, grain_id_string)
) STRICT;

CREATE TABLE OrleansQuery (
    QueryKey   TEXT  NOT NULL PRIMARY KEY,
    QueryText  TEXT  NOT NULL
) STRICT;

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES
('ReadFromStorageKey', '
SELECT payload AS PayloadBinary, version AS Version
FROM OrleansStorage
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString
  AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1 AND grain_id_string = coalesce(@GrainIdExtensionString, '''')
'),

-- With a version, the SELECT yields a row to add only if a row exists already: then that row is changed instead, if its version is the
-- expected one.
('WriteToStorageKey', '
INSERT INTO OrleansStorage (service_id, grain_type, grain_id_n0, grain_id_n1, grain_id_string, version, payload)
SELECT @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString, ''''), 1, @PayloadBinary
WHERE @GrainStateVersion IS NULL OR EXISTS (
    SELECT 1 FROM OrleansStorage
    WHERE service_id = @ServiceId AND grain_type = @GrainTypeString
      AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1 AND grain_id_string = coalesce(@GrainIdExtensionString, ''''))
ON CONFLICT (service_id, grain_type, grain_id_n0, grain_id_n1, grain_id_string) DO UPDATE
SET payload = excluded.payload, version = version + 1, modified_at = excluded.modified_at
WHERE version = @GrainStateVersion
RETURNING version AS NewGrainStateVersion
'),

('ClearStorageKey', '
UPDATE OrleansStorage
SET payload = NULL, version = version + 1, modified_at = strftime(''%Y-%m-%dT%H:%M:%f000Z'', ''now'')
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString
  AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1 AND grain_id_string = coalesce(@GrainIdExtensionString, '''')
  AND version = @GrainStateVersion
RETURNING version AS NewGrainStateVersion
'),

('DeleteStorageKey', '
DELETE FROM OrleansStorage
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString
  AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1 AND grain_id_string = coalesce(@GrainIdExtensionString, '''')
  AND version = @GrainStateVersion
RETURNING version + 1 AS NewGrainStateVersion
');
