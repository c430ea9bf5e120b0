-- The scan log, what is counted from it, and how far each journal has been written.
--
-- A scan is sacred, so nothing here refers to links: no scan can be refused because of what became of its link,
-- and none is dropped with it.

CREATE TABLE scans (
    link_id     bigint NOT NULL,
    scanned_at  timestamptz NOT NULL,
    user_agent  text,
    referrer    text,
    language    text
) PARTITION BY RANGE (scanned_at);

-- Takes what no month holds, so that a wrong clock loses no scan.
CREATE TABLE scans_default PARTITION OF scans DEFAULT;

CREATE INDEX scans_link ON scans (link_id, scanned_at DESC);

-- Makes the partition of a month (UTC) unless it exists. Called by the writer, ahead of the month. A month that the
-- default partition already holds rows of stays there: they are whole, only slower to drop.
CREATE FUNCTION make_scans_month(month timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first  timestamptz := date_trunc('month', month, 'UTC');
    next   timestamptz := date_trunc('month', first + interval '32 days', 'UTC');
    part   text := 'scans_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('make_scans_month'));
    IF to_regclass(part) IS NULL
       AND NOT EXISTS (SELECT FROM scans_default WHERE scanned_at >= first AND scanned_at < next) THEN
        EXECUTE format('CREATE TABLE %I (LIKE scans INCLUDING ALL)', part);
        EXECUTE format('ALTER TABLE scans ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, first, next);
    END IF;
END
$$;

-- Scans per link and hour, and in all. Kept apart from links, so that counting never waits for a row that is read.
CREATE TABLE scan_hours (
    link_id  bigint NOT NULL,
    hour     timestamptz NOT NULL,
    scans    bigint NOT NULL,
    PRIMARY KEY (link_id, hour)
);

CREATE TABLE scan_totals (
    link_id       bigint PRIMARY KEY,
    scans         bigint NOT NULL,
    last_scan_at  timestamptz NOT NULL
) WITH (fillfactor = 70);

-- Everything before this place in a journal is in `scans`. Moved in the transaction that adds the rows, which is why
-- a scan is written exactly once, whatever dies in between.
CREATE TABLE journal_positions (
    journal   text PRIMARY KEY,
    segment   bigint NOT NULL,
    "offset"  bigint NOT NULL
);
