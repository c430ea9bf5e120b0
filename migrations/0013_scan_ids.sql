-- An id for each scan, in the order in which scans are committed, and the account that it belongs to.
--
-- Ids are handed out by the one row of `scan_ids`, which a writer locks last of all and until its batch is committed. So
-- ids become visible in their order, whichever server's writer they come from: who has seen one has seen, or could
-- have, all below it, and goes on behind it without missing any. An id is milliseconds since 2024 and 22 bits more, as
-- all ids are (server/domain/ids.py), by this database's clock, but never less than one before.
--
-- Columns without a default are added without touching a row. The scans there are stay without, and so do those of a
-- writer of the version before, which may still run: they are listed by their time, and nobody is told of them.

ALTER TABLE scans ADD COLUMN id bigint, ADD COLUMN account_id bigint;

CREATE TABLE scan_ids (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    last  bigint NOT NULL
) WITH (fillfactor = 10);

-- An account's scans in the order of their ids. A month made from now on has this index; those there are get it here
-- if they are read in a moment, and else from the writer, which goes on writing meanwhile (CREATE INDEX CONCURRENTLY,
-- not to be had in a transaction).
CREATE INDEX scans_account ON ONLY scans (account_id, id) WHERE id IS NOT NULL;

CREATE FUNCTION scans_without_index() RETURNS SETOF regclass LANGUAGE sql STABLE AS $$
    SELECT parts.inhrelid::regclass FROM pg_inherits AS parts
    WHERE parts.inhparent = 'scans'::regclass AND NOT EXISTS (
        SELECT FROM pg_inherits AS indexes JOIN pg_index ON indexrelid = indexes.inhrelid
        WHERE indexes.inhparent = 'scans_account'::regclass AND indrelid = parts.inhrelid
    )
$$;

DO $$
DECLARE
    part  regclass;
BEGIN
    FOR part IN SELECT * FROM scans_without_index() LOOP
        IF pg_relation_size(part) < 256 * 1024 * 1024 THEN
            EXECUTE format('CREATE INDEX %I ON %s (account_id, id) WHERE id IS NOT NULL', part || '_account', part);
            EXECUTE format('ALTER INDEX scans_account ATTACH PARTITION %I', part || '_account');
        END IF;
    END LOOP;
END
$$;
