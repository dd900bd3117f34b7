-- Unproven addresses leave the unique column, and an account and a session get more columns. The embedded twin of
-- postgres/004_addresses.sql.
--
-- These rules must hold, besides those of the twin:
--   * SQLite cannot drop NOT NULL, so the table is made anew. DROP TABLE deletes the rows first, which would cascade where foreign keys are
--     on: the tables that refer to users are made anew and dropped before it. Renaming users_new also changes the references to it.

CREATE TABLE users_new (
    id              TEXT     NOT NULL PRIMARY KEY CHECK (id GLOB '????????-????-????-????-????????????' AND id = lower(id)),
    email           TEXT     NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name            TEXT     NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    avatar          TEXT     NULL CHECK (length(avatar) <= 2048),
    created_at      TEXT     NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
                             CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    last_seen       TEXT     NULL CHECK (last_seen GLOB '????-??-??T??:??:??.??????Z'),
    email_verified  INTEGER  NOT NULL DEFAULT 0 CHECK (email_verified IN (0, 1)),
    version         INTEGER  NOT NULL DEFAULT 0,
    unproven_email  TEXT     NULL CHECK (length(unproven_email) BETWEEN 3 AND 254),
    name_edited     INTEGER  NULL CHECK (name_edited IN (0, 1)),
    avatar_edited   INTEGER  NULL CHECK (avatar_edited IN (0, 1)),
    CHECK (email IS NOT NULL OR unproven_email IS NOT NULL)
) STRICT;

INSERT INTO users_new (id, email, name, avatar, created_at, last_seen, email_verified, version)
SELECT id, email, name, avatar, created_at, last_seen, email_verified, version FROM users;

CREATE TABLE accounts_new (
    -- The default is a random UUID (version 4).
    id                   TEXT  NOT NULL PRIMARY KEY DEFAULT (
                                   lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
                                   || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))
                               CHECK (id GLOB '????????-????-????-????-????????????' AND id = lower(id)),
    user_id              TEXT  NOT NULL REFERENCES users_new (id) ON DELETE CASCADE,
    type                 TEXT  NOT NULL CHECK (length(type) BETWEEN 1 AND 40),
    provider             TEXT  NOT NULL CHECK (length(provider) BETWEEN 1 AND 1000),
    provider_account_id  TEXT  NOT NULL CHECK (length(provider_account_id) BETWEEN 1 AND 1000),
    access_token         TEXT  NULL,
    refresh_token        TEXT  NULL,
    id_token             TEXT  NULL,
    token_type           TEXT  NULL,
    scope                TEXT  NULL,
    expires_at           TEXT  NULL CHECK (expires_at GLOB '????-??-??T??:??:??.??????Z'),
    created_at           TEXT  NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
                               CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    email                TEXT  NULL CHECK (length(email) BETWEEN 3 AND 254),
    UNIQUE (provider, provider_account_id)
) STRICT;

INSERT INTO accounts_new (id, user_id, type, provider, provider_account_id, access_token, refresh_token, id_token, token_type, scope, expires_at, created_at)
SELECT id, user_id, type, provider, provider_account_id, access_token, refresh_token, id_token, token_type, scope, expires_at, created_at FROM accounts;

CREATE TABLE sessions_new (
    id             TEXT  NOT NULL PRIMARY KEY CHECK (id GLOB '????????-????-????-????-????????????' AND id = lower(id)),
    session_token  BLOB  NOT NULL UNIQUE CHECK (length(session_token) = 32),
    user_id        TEXT  NOT NULL REFERENCES users_new (id) ON DELETE CASCADE,
    expires        TEXT  NOT NULL CHECK (expires GLOB '????-??-??T??:??:??.??????Z'),
    created_at     TEXT  NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
                         CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    last_used_at   TEXT  NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
                         CHECK (last_used_at GLOB '????-??-??T??:??:??.??????Z'),
    device         TEXT  NULL CHECK (length(device) <= 400),
    address        TEXT  NULL CHECK (length(address) <= 100),
    account        TEXT  NULL
) STRICT;

INSERT INTO sessions_new (id, session_token, user_id, expires, created_at, last_used_at, device, address)
SELECT id, session_token, user_id, expires, created_at, last_used_at, device, address FROM sessions;

DROP TABLE sessions;
DROP TABLE accounts;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
ALTER TABLE accounts_new RENAME TO accounts;
ALTER TABLE sessions_new RENAME TO sessions;

CREATE INDEX accounts_user_id_idx ON accounts (user_id);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_expires_idx ON sessions (expires);

CREATE TABLE notices (
    id       TEXT     NOT NULL PRIMARY KEY CHECK (id GLOB '????????-????-????-????-????????????' AND id = lower(id)),
    user_id  TEXT     NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind     INTEGER  NOT NULL,
    detail   TEXT     NULL CHECK (length(detail) <= 400),
    at       TEXT     NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

CREATE INDEX notices_user_id_idx ON notices (user_id, at);

CREATE TABLE data_upgrades (
    name     TEXT  NOT NULL PRIMARY KEY,
    done_at  TEXT  NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')) CHECK (done_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;
