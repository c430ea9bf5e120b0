-- Stored codes: a design, and either the link whose short URL the symbol carries or the content it says itself.

CREATE TABLE qr_codes (
    id          bigint PRIMARY KEY,
    account_id  bigint NOT NULL REFERENCES accounts,
    name        text,
    link_id     bigint REFERENCES links,
    content     jsonb,
    design      jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT qr_codes_dynamic_or_static CHECK ((link_id IS NULL) <> (content IS NULL))
);

CREATE INDEX qr_codes_account ON qr_codes (account_id, id DESC);
CREATE INDEX qr_codes_link ON qr_codes (link_id);
