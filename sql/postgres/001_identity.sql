-- The identity of users: users, their external accounts, their sign-ins, their one-time tokens.
--
-- These rules must hold:
--   * users.email and accounts (provider, provider_account_id) are unique: only the database decides the owner of an e-mail or an account.
--     The stores distinguish the two by the names of these constraints, so the names are part of the contract.
--   * A row in users needs an id, an e-mail and a name. Every later column has a default, because other programs insert users too.
--   * users.email is written in one spelling (NFKC, lower case). The writer is responsible for it, because lower() here depends on the
--     server's collation.
--   * users.version counts profile writes and makes late writers lose. last_seen only moves forward, and is not counted.
--   * Session and one-time tokens are stored as SHA-256 only: 32 bytes that are useless for a sign-in.
--   * Times are timestamptz. The statements of a released file are permanent: a change is the next number.

CREATE TABLE users (
    id              uuid         NOT NULL CONSTRAINT users_pkey PRIMARY KEY,
    email           text         NOT NULL CONSTRAINT users_email_key UNIQUE
                                 CHECK (char_length(email) BETWEEN 3 AND 254),
    name            text         NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    avatar          text         NULL CHECK (char_length(avatar) <= 2048),
    created_at      timestamptz  NOT NULL DEFAULT now(),
    last_seen       timestamptz  NULL,
    email_verified  boolean      NOT NULL DEFAULT false,
    version         bigint       NOT NULL DEFAULT 0
);

CREATE TABLE accounts (
    id                   uuid         NOT NULL DEFAULT gen_random_uuid() CONSTRAINT accounts_pkey PRIMARY KEY,
    user_id              uuid         NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    type                 text         NOT NULL CHECK (char_length(type) BETWEEN 1 AND 40),
    -- Bounded in bytes: both together fit one index entry (about 2,700).
    provider             text         NOT NULL CHECK (octet_length(provider) BETWEEN 1 AND 1000),
    provider_account_id  text         NOT NULL CHECK (octet_length(provider_account_id) BETWEEN 1 AND 1000),
    -- The provider's own tokens. Pulse does not use them and leaves them empty.
    access_token         text         NULL,
    refresh_token        text         NULL,
    id_token             text         NULL,
    token_type           text         NULL,
    scope                text         NULL,
    expires_at           timestamptz  NULL,
    created_at           timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT accounts_provider_account_key UNIQUE (provider, provider_account_id)
);

CREATE INDEX accounts_user_id_idx ON accounts (user_id);

CREATE TABLE sessions (
    id             uuid         NOT NULL CONSTRAINT sessions_pkey PRIMARY KEY,
    session_token  bytea        NOT NULL CONSTRAINT sessions_token_key UNIQUE CHECK (octet_length(session_token) = 32),
    user_id        uuid         NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires        timestamptz  NOT NULL,
    created_at     timestamptz  NOT NULL DEFAULT now(),
    last_used_at   timestamptz  NOT NULL DEFAULT now(),
    device         text         NULL CHECK (char_length(device) <= 400),
    address        text         NULL CHECK (char_length(address) <= 100)
);

CREATE INDEX sessions_user_id_idx ON sessions (user_id);
-- For the sweep of expired rows.
CREATE INDEX sessions_expires_idx ON sessions (expires);

CREATE TABLE verification_tokens (
    identifier  text         NOT NULL CHECK (char_length(identifier) BETWEEN 1 AND 254),
    token       bytea        NOT NULL CONSTRAINT verification_tokens_token_key UNIQUE CHECK (octet_length(token) = 32),
    expires     timestamptz  NOT NULL
);

CREATE INDEX verification_tokens_expires_idx ON verification_tokens (expires);
