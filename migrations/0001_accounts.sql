-- Who owns things, and what opens the API. A key is stored as its SHA-256 only.

CREATE TABLE accounts (
    id          bigint PRIMARY KEY,
    name        text NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE TABLE api_keys (
    id          bigint PRIMARY KEY,
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    digest      bytea NOT NULL CONSTRAINT api_keys_digest_key UNIQUE,
    name        text NOT NULL,
    last4       text NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE INDEX api_keys_account ON api_keys (account_id, id DESC);
