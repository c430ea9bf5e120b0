-- Answers to requests that had an Idempotency-Key, for a day. A row is claimed before its request is done, and its
-- answer comes in the same transaction as what the request has made: so there is no moment in which a kill leaves one
-- of them without the other. A claim that nobody renews, because its process is gone, falls to whoever asks next.

CREATE TABLE kept_answers (
    account_id      bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    key             text NOT NULL,
    claim           bigint NOT NULL,
    -- When it was claimed, or the claim renewed; then, when the answer came.
    at              timestamptz NOT NULL DEFAULT now(),
    request_sha256  bytea,
    status          smallint,
    headers         jsonb,
    body            bytea,
    PRIMARY KEY (account_id, key),
    CONSTRAINT kept_answers_whole_or_none CHECK (num_nulls(request_sha256, status, headers, body) IN (0, 4))
);

CREATE INDEX kept_answers_at ON kept_answers (at);
