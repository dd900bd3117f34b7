-- The identity of users: users, their external accounts, their sign-ins, their one-time tokens. The embedded twin of
-- postgres/001_identity.sql.
--
-- These rules must hold, besides those of the twin:
--   * An id is a UUID in lower case with hyphens; a time is UTC as 2030-01-31T23:59:59.123456Z, always six decimals. Each has one spelling,
--     so that equality and order of the text are those of the value. The checks also bind other programs.
--   * Besides its primary key, users has one unique constraint (email), and so has accounts: SQLite reports the kind of the violated
--     constraint, but not its name.
--   * Foreign keys hold on connections that ask for it (PRAGMA foreign_keys = ON), as the stores' connections do.

CREATE TABLE users (
    id              TEXT     NOT NULL PRIMARY KEY CHECK (id GLOB '????????-????-????-????-????????????' AND id = lower(id)),
    email           TEXT     NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name            TEXT     NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    avatar          TEXT     NULL CHECK (length(avatar) <= 2048),
    created_at      TEXT     NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
                             CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    last_seen       TEXT     NULL CHECK (last_seen GLOB '????-??-??T??:??:??.??????Z'),
    email_verified  INTEGER  NOT NULL DEFAULT 0 CHECK (email_verified IN (0, 1)),
    version         INTEGER  NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE accounts (
    -- The default is a random UUID (version 4).
    id                   TEXT  NOT NULL PRIMARY KEY DEFAULT (
                                   lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
                                   || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))
                               CHECK (id GLOB '????????-????-????-????-????????????' AND id = lower(id)),
    user_id              TEXT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
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
    UNIQUE (provider, provider_account_id)
) STRICT;

CREATE INDEX accounts_user_id_idx ON accounts (user_id);

CREATE TABLE sessions (
    id             TEXT  NOT NULL PRIMARY KEY CHECK (id GLOB '????????-????-????-????-????????????' AND id = lower(id)),
    session_token  BLOB  NOT NULL UNIQUE CHECK (length(session_token) = 32),
    user_id        TEXT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires        TEXT  NOT NULL CHECK (expires GLOB '????-??-??T??:??:??.??????Z'),
    created_at     TEXT  NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
                         CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
    last_used_at   TEXT  NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
                         CHECK (last_used_at GLOB '????-??-??T??:??:??.??????Z'),
    device         TEXT  NULL CHECK (length(device) <= 400),
    address        TEXT  NULL CHECK (length(address) <= 100)
) STRICT;

CREATE INDEX sessions_user_id_idx ON sessions (user_id);
-- For the sweep of expired rows.
CREATE INDEX sessions_expires_idx ON sessions (expires);

CREATE TABLE verification_tokens (
    identifier  TEXT  NOT NULL CHECK (length(identifier) BETWEEN 1 AND 254),
    token       BLOB  NOT NULL UNIQUE CHECK (length(token) = 32),
    expires     TEXT  NOT NULL CHECK (expires GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

CREATE INDEX verification_tokens_expires_idx ON verification_tokens (expires);
