-- Users can be disabled and erased.
--
-- These rules must hold, besides those of the earlier scripts:
--   * Erasing a user deletes the row in users, which takes accounts, sessions and notices with it, and leaves one row here in the same
--     transaction. A user id with a tombstone never has a row in users again.
--   * A tombstone holds only an id and a time. The id is the user id, or represents an account of a trusted issuer that the user had: a
--     UUID of version 8 from the SHA-256 of the account (AccountTombstone). Tokens of that account from before the time are refused.
--   * A user with disabled_at can neither sign in nor connect. The row stays, and only operators can see it.
--   * users.tokens_not_before: tokens of trusted issuers that were issued before it are refused. NULL: all are accepted.
--   * Silos of earlier versions name the columns that they read and write, so they still work.

ALTER TABLE users ADD COLUMN disabled_at timestamptz NULL;
ALTER TABLE users ADD COLUMN tokens_not_before timestamptz NULL;

CREATE TABLE tombstones (
    id         uuid         NOT NULL CONSTRAINT tombstones_pkey PRIMARY KEY,
    erased_at  timestamptz  NOT NULL
);

-- Operators find a user by an unproven address too.
CREATE INDEX users_unproven_email_idx ON users (unproven_email) WHERE unproven_email IS NOT NULL;
