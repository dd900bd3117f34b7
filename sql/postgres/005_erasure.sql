-- Users can be disabled and erased.
--
-- What must stay true, besides what the earlier scripts say:
--   * Erasing a user deletes the row in users, which takes accounts, sessions and notices with it, and leaves one row here in the same transaction.
--     A user id with a tombstone never has a row in users again.
--   * A tombstone holds an id and a time and nothing else. The id is the user id, or stands for an account of a trusted issuer that the user had:
--     a UUID of version 8 from the SHA-256 of the account (AccountTombstone). Tokens of that account from before the time are refused.
--   * A user with disabled_at can neither sign in nor connect. The row stays, and nobody but an operator is shown it.
--   * users.tokens_not_before: tokens of trusted issuers that were issued before it are refused. NULL: none are.
--   * Silos of earlier versions name the columns that they read and write, so they work on.

ALTER TABLE users ADD COLUMN disabled_at timestamptz NULL;
ALTER TABLE users ADD COLUMN tokens_not_before timestamptz NULL;

CREATE TABLE tombstones (
    id         uuid         NOT NULL CONSTRAINT tombstones_pkey PRIMARY KEY,
    erased_at  timestamptz  NOT NULL
);

-- Operators find a user by an address that is not proven, too.
CREATE INDEX users_unproven_email_idx ON users (unproven_email) WHERE unproven_email IS NOT NULL;
