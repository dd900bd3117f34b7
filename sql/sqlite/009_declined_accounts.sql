-- The accounts that a user has unlinked. The embedded twin of postgres/009_declined_accounts.sql, which has the rules.

CREATE TABLE declined_accounts (
    user_id              TEXT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider             TEXT  NOT NULL,
    provider_account_id  TEXT  NOT NULL,
    declined_at          TEXT  NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
                               CHECK (declined_at GLOB '????-??-??T??:??:??.??????Z'),
    PRIMARY KEY (user_id, provider, provider_account_id)
) STRICT;
