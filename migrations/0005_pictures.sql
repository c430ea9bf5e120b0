-- Logos and photos that stored designs name, by the SHA-256 of what was given. The bytes are what is drawn: checked,
-- and made smaller where they had more pixels than any picture of a code can show.

CREATE TABLE pictures (
    sha256      bytea PRIMARY KEY CHECK (length(sha256) = 32),
    body        bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- They are compressed already.
ALTER TABLE pictures ALTER COLUMN body SET STORAGE EXTERNAL;
