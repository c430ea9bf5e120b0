-- What a key may do, in which form it was made, until when it opens, and when it was last used; and whom to write to
-- about an account. The keys there are may do everything, as before. Constant defaults rewrite no table.

ALTER TABLE accounts ADD COLUMN email text;

ALTER TABLE api_keys
    ADD COLUMN format        text NOT NULL DEFAULT 'native',
    ADD COLUMN permissions   text[] NOT NULL DEFAULT '{read,write,render}',
    ADD COLUMN expires_at    timestamptz,
    ADD COLUMN last_used_at  timestamptz;
