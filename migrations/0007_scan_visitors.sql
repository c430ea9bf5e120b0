-- Who scanned: what of the client's address is kept, a salted hash in place of the client, and what its user agent is;
-- and whether it scanned a symbol or followed a link.
--
-- Columns without a default are added without touching a row, also in every partition. A writer of the version before,
-- which may still run, names its columns and goes on.

ALTER TABLE scans
    ADD COLUMN address    inet,
    ADD COLUMN visitor    bigint,
    ADD COLUMN device     text,
    ADD COLUMN os         text,
    ADD COLUMN browser    text,
    ADD COLUMN from_code  boolean;

-- Scans by programs (device "bot") are counted apart: `scans` is without them, and so is `last_scan_at`.
ALTER TABLE scan_hours ADD COLUMN bots bigint NOT NULL DEFAULT 0;
ALTER TABLE scan_totals ADD COLUMN bots bigint NOT NULL DEFAULT 0;
ALTER TABLE scan_totals ALTER COLUMN last_scan_at DROP NOT NULL;

-- What visitors are hashed with. Once a day's salt is deleted, nobody can tell any more who its visitors were. That of
-- the day '-infinity' is for all days, where the operator wants it so, and stays.
CREATE TABLE visitor_salts (
    day      date PRIMARY KEY,
    salt     bytea NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now()
);

-- Removes scans that are older than `days`: whole months by dropping their partitions, and what lies in the default
-- partition row by row. What was counted stays. Returns the partitions that were dropped. By this database's clock, so
-- that no server's wrong one can cost a log. Gives up at a lock that somebody holds for long, as all others would queue
-- behind it.
CREATE FUNCTION drop_old_scans(days integer) RETURNS SETOF text LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
DECLARE
    before  timestamptz := now() - make_interval(days => days);
    part    text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('make_scans_month'));
    FOR part IN
        SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'scans'::regclass
          AND substring(pg_get_expr(relpartbound, inhrelid) FROM $re$ TO \('([^']+)'\)$re$)::timestamptz <= before
    LOOP
        EXECUTE format('DROP TABLE %s', part);
        RETURN NEXT part;
    END LOOP;
    DELETE FROM scans_default WHERE scanned_at < before;
END
$$;
