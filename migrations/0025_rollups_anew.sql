-- Counting scans anew, where a version before has counted them, or had them only by the hour.

-- Months that are counted anew, or cannot be, as rows of the log are gone. '-infinity' stands for all that the version
-- before has counted: whoever rebuilds puts its months in the place.
CREATE TABLE scan_rollups (
    month    date PRIMARY KEY,
    stale    boolean NOT NULL DEFAULT false,
    dropped  boolean NOT NULL DEFAULT false
);

INSERT INTO scan_rollups (month, stale) SELECT '-infinity', true WHERE EXISTS (SELECT FROM scan_hours);

-- `scan_hours` is kept as it is, for the months of which rows of the log are gone, and added to by writers of the version
-- before alone, which may still run. They know nothing of all this: what they touch is counted anew.
CREATE FUNCTION mark_counted_hours() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO scan_rollups (month, stale)
    SELECT DISTINCT date_trunc('month', hour AT TIME ZONE 'UTC')::date, true FROM counted ORDER BY 1
    ON CONFLICT (month) DO UPDATE SET stale = true;
    RETURN NULL;
END
$$;

CREATE TRIGGER scan_hours_added AFTER INSERT ON scan_hours
    REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION mark_counted_hours();
CREATE TRIGGER scan_hours_changed AFTER UPDATE ON scan_hours
    REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION mark_counted_hours();

-- As before, and it notes of which months rows are gone: what was counted of those is not counted anew from the rest. A
-- month that is still to be counted stays until it is.
CREATE OR REPLACE FUNCTION drop_old_scans(days integer) RETURNS SETOF text LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
DECLARE
    before  timestamptz := now() - make_interval(days => days);
    part    text;
    first   date;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('make_scans_month'));
    FOR part, first IN
        SELECT inhrelid::regclass::text, (substring(bounds FROM $re$FROM \('([^']+)'\)$re$)::timestamptz AT TIME ZONE 'UTC')::date
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid, pg_get_expr(relpartbound, inhrelid) AS bounds
        WHERE inhparent = 'scans'::regclass
          AND substring(bounds FROM $re$ TO \('([^']+)'\)$re$)::timestamptz <= before
    LOOP
        IF NOT EXISTS (SELECT FROM scan_rollups WHERE stale AND month IN ('-infinity', first)) THEN
            INSERT INTO scan_rollups (month, dropped) VALUES (first, true)
            ON CONFLICT (month) DO UPDATE SET dropped = true;
            EXECUTE format('DROP TABLE %s', part);
            RETURN NEXT part;
        END IF;
    END LOOP;
    WITH gone AS (
        DELETE FROM scans_default WHERE scanned_at < before
            AND NOT EXISTS (
                SELECT FROM scan_rollups
                WHERE stale AND month IN ('-infinity', date_trunc('month', scanned_at AT TIME ZONE 'UTC')::date)
            )
        RETURNING date_trunc('month', scanned_at AT TIME ZONE 'UTC')::date AS month
    )
    INSERT INTO scan_rollups (month, dropped) SELECT DISTINCT gone.month, true FROM gone
    ON CONFLICT (month) DO UPDATE SET dropped = true;
END
$$;
