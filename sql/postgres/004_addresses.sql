-- Unproven addresses leave the unique column, and an account and a session get more columns.
--
-- These rules must hold, besides those of 001_identity.sql:
--   * users.email holds proven addresses only. An address that a token or a request merely states is in users.unproven_email, which is not
--     unique. A writer of version 001 may still put an unproven address into users.email (email_verified is false then). It counts as
--     unproven, and a user that proves it takes it over.
--   * A row has at least one of the two addresses.
--   * A silo of the previous version reads users.email as NOT NULL. Therefore this script leaves all rows as they are: silos write NULL,
--     and move the unproven addresses of older rows, once every silo of the cluster can read NULL (ARCHITECTURE.md, "Decisions"). Until
--     then an unproven row has '<id>@unproven.invalid' in users.email, a domain that cannot have a mailbox (RFC 2606).
--   * name_edited and avatar_edited are NULL for rows that were written before this script: unknown.
--   * sessions.account is the account that opened the session, as provider, line feed, provider's id. NULL: unknown.

ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
ALTER TABLE users ADD COLUMN unproven_email text NULL CHECK (char_length(unproven_email) BETWEEN 3 AND 254);
ALTER TABLE users ADD COLUMN name_edited boolean NULL;
ALTER TABLE users ADD COLUMN avatar_edited boolean NULL;
-- Existing rows satisfy it, because email was NOT NULL: validating would only hold the lock longer.
ALTER TABLE users ADD CONSTRAINT users_address_check CHECK (email IS NOT NULL OR unproven_email IS NOT NULL) NOT VALID;

-- The address that the provider gave at the latest sign-in, proven or unproven, so that the owner can distinguish accounts of one provider.
ALTER TABLE accounts ADD COLUMN email text NULL CHECK (char_length(email) BETWEEN 3 AND 254);

ALTER TABLE sessions ADD COLUMN account text NULL;

-- The notices to the owner of a user about their accounts: on the dashboard, and by mail if mail is set up.
CREATE TABLE notices (
    id       uuid         NOT NULL CONSTRAINT notices_pkey PRIMARY KEY,
    user_id  uuid         NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind     integer      NOT NULL,
    detail   text         NULL CHECK (char_length(detail) <= 400),
    at       timestamptz  NOT NULL
);

CREATE INDEX notices_user_id_idx ON notices (user_id, at);

-- Changes to rows that need a program, and that run in the background after the schema: by name, once.
CREATE TABLE data_upgrades (
    name     text         NOT NULL CONSTRAINT data_upgrades_pkey PRIMARY KEY,
    done_at  timestamptz  NOT NULL DEFAULT now()
);
