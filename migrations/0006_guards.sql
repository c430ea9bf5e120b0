-- What a link asks before it redirects, and how it does. Every column is as it was before for the links there are;
-- a constant default is no rewrite of the table, and the check only reads it.

ALTER TABLE links
    ADD COLUMN active           boolean NOT NULL DEFAULT true,
    ADD COLUMN expires_at       timestamptz,
    ADD COLUMN fallback_url     text,
    ADD COLUMN redirect_status  smallint NOT NULL DEFAULT 302 CHECK (redirect_status IN (301, 302, 307, 308)),
    ADD COLUMN forward_query    boolean NOT NULL DEFAULT false,
    ADD COLUMN password_hash    text,
    ADD COLUMN max_scans        bigint CHECK (max_scans > 0),
    ADD COLUMN rules            jsonb;

-- Uses of links that have, or had, a scan limit. Apart from links, whose every change is told to every process.
CREATE TABLE link_uses (
    link_id  bigint PRIMARY KEY REFERENCES links ON DELETE CASCADE,
    used     bigint NOT NULL
) WITH (fillfactor = 50);
