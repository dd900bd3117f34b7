-- Where grains keep state that has no row of its own. Orleans' ADO.NET provider brings the parameters and reads the results. The table and
-- the statements are ours. The provider fetches the statements from OrleansQuery by name when a silo starts.
--
-- These rules must hold:
--   * The provider spells out these names: OrleansQuery (QueryKey, QueryText), its four keys, the @parameters, and the result columns
--     NewGrainStateVersion, PayloadBinary and Version.
--   * One row per piece of state, by a real constraint: of two activations that write first, one loses.
--   * version is the ETag. A write or clear against another version than the stored one changes nothing and returns no row, which the
--     provider reports as InconsistentStateException. A missing version (NULL) means that the writer believes there is no row.
--   * A cleared row stays, with an empty payload, so that its version never starts over. Therefore DeleteStateOnClear stays off.
--     DeleteStorageKey exists because the provider's contract has it.
--   * Each is one statement that keeps its session clean: it works through a transaction-mode pooler.
--
-- The provider's hashes of key and type are unused: they help databases that cannot index long text.

CREATE TABLE OrleansStorage (
    service_id       text         NOT NULL,
    grain_type       text         NOT NULL,
    grain_id_n0      bigint       NOT NULL,
    grain_id_n1      bigint       NOT NULL,
    grain_id_string  text         NOT NULL,   -- empty where the key lacks a string part, because NULLs would all be different
    version          integer      NOT NULL,
    payload          bytea        NULL,
    modified_at      timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT orleans_storage_pkey PRIMARY KEY (service_id, grain_type, grain_id_n0, grain_id_n1, grain_id_string)
);

CREATE TABLE OrleansQuery (
    QueryKey   text  NOT NULL CONSTRAINT orleans_query_pkey PRIMARY KEY,
    QueryText  text  NOT NULL
);

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES
('ReadFromStorageKey', $query$
SELECT payload AS "PayloadBinary", version AS "Version"
FROM OrleansStorage
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString
  AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1 AND grain_id_string = coalesce(@GrainIdExtensionString::text, '')
$query$),

-- Exactly one of the two parts has an effect, because one requires a version, the other a missing version.
('WriteToStorageKey', $query$
WITH changed AS (
    UPDATE OrleansStorage
    SET payload = @PayloadBinary, version = version + 1, modified_at = now()
    WHERE service_id = @ServiceId AND grain_type = @GrainTypeString
      AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1 AND grain_id_string = coalesce(@GrainIdExtensionString::text, '')
      AND version = @GrainStateVersion::integer
    RETURNING version
), added AS (
    INSERT INTO OrleansStorage (service_id, grain_type, grain_id_n0, grain_id_n1, grain_id_string, version, payload)
    SELECT @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString::text, ''), 1, @PayloadBinary
    WHERE @GrainStateVersion::integer IS NULL
    ON CONFLICT DO NOTHING
    RETURNING version
)
SELECT version AS "NewGrainStateVersion" FROM changed
UNION ALL
SELECT version FROM added
$query$),

('ClearStorageKey', $query$
UPDATE OrleansStorage
SET payload = NULL, version = version + 1, modified_at = now()
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString
  AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1 AND grain_id_string = coalesce(@GrainIdExtensionString::text, '')
  AND version = @GrainStateVersion::integer
RETURNING version AS "NewGrainStateVersion"
$query$),

('DeleteStorageKey', $query$
DELETE FROM OrleansStorage
WHERE service_id = @ServiceId AND grain_type = @GrainTypeString
  AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1 AND grain_id_string = coalesce(@GrainIdExtensionString::text, '')
  AND version = @GrainStateVersion::integer
RETURNING version + 1 AS "NewGrainStateVersion"
$query$);
