-- The accounts that a user has unlinked, so that they do not join again by themselves.
--
-- These rules must hold:
--   * A row is written in the transaction that unlinks an account at its user's request, and deleted in the one that links it again at the
--     user's request.
--   * An account does not join a user by the user's proven address if this account has a row of that user here, or if the mailbox of that
--     address has one: a user who has unlinked the mailbox may no longer own it.
--   * Silos of earlier versions neither read nor write this table. What is unlinked by them can join again, as before.

CREATE TABLE declined_accounts (
    user_id              uuid         NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider             text         NOT NULL,
    provider_account_id  text         NOT NULL,
    declined_at          timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT declined_accounts_pkey PRIMARY KEY (user_id, provider, provider_account_id)
);
