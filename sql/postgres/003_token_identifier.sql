-- Each request for a sign-in link counts the good tokens of its mailbox: without this index it reads the good tokens of all mailboxes.
--
-- What must stay true: as in 001_identity.sql. Expired rows are deleted by a sweep, which goes by verification_tokens_expires_idx.

CREATE INDEX verification_tokens_identifier_idx ON verification_tokens (identifier, expires);
