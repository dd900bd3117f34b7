-- A request for a sign-in link counts the good tokens of its mailbox. This index keeps it from reading the good tokens of all mailboxes.
--
-- These rules must hold: as in 001_identity.sql. A sweep deletes expired rows by verification_tokens_expires_idx.

CREATE INDEX verification_tokens_identifier_idx ON verification_tokens (identifier, expires);
