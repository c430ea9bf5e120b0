-- What is counted of scans, so that figures need not read the log (docs/adr/0020-figures-come-from-packed-rollups.md).
--
-- A row is of an account's link, or, with link_id 0, of all of the account's links; account_id is 0 where the link was
-- gone. `groups` and `counts` are packed as server/storage/rollup.py says. Of a visitor the first scan of its day (UTC) is
-- unique.

-- What the writer has counted and nobody has added to the other three yet: scans of a quarter of an hour, one after the
-- other in the order of the log. `id` is that of the first one.
CREATE TABLE scan_fresh (
    account_id     bigint NOT NULL,
    link_id        bigint NOT NULL,
    id             bigint NOT NULL,
    quarter        timestamptz NOT NULL,
    people         bigint NOT NULL,
    bots           bigint NOT NULL,
    unique_people  bigint NOT NULL,
    unique_bots    bigint NOT NULL,
    last_scan_at   timestamptz,
    last_bot_at    timestamptz,
    groups         bytea NOT NULL,
    PRIMARY KEY (account_id, link_id, id)
);

CREATE TABLE scan_quarters (
    account_id  bigint NOT NULL,
    link_id     bigint NOT NULL,
    quarter     timestamptz NOT NULL,
    groups      bytea NOT NULL,
    PRIMARY KEY (account_id, link_id, quarter)
) WITH (fillfactor = 80);

-- `counts` are those of each quarter of an hour of the day.
CREATE TABLE scan_days (
    account_id     bigint NOT NULL,
    link_id        bigint NOT NULL,
    day            date NOT NULL,
    people         bigint NOT NULL,
    bots           bigint NOT NULL,
    unique_people  bigint NOT NULL,
    unique_bots    bigint NOT NULL,
    counts         bytea NOT NULL,
    groups         bytea NOT NULL,
    PRIMARY KEY (account_id, link_id, day)
) WITH (fillfactor = 70);

-- `month` is its first day.
CREATE TABLE scan_months (
    account_id     bigint NOT NULL,
    link_id        bigint NOT NULL,
    month          date NOT NULL,
    people         bigint NOT NULL,
    bots           bigint NOT NULL,
    unique_people  bigint NOT NULL,
    unique_bots    bigint NOT NULL,
    last_scan_at   timestamptz,
    last_bot_at    timestamptz,
    groups         bytea NOT NULL,
    PRIMARY KEY (account_id, link_id, month)
) WITH (fillfactor = 70);

-- Counts stay in their row, so that whoever reads them for two years does not read the groups.
ALTER TABLE scan_days ALTER COLUMN counts SET STORAGE MAIN;

-- Who scanned what on a day (UTC), for as long as scans of that day are still to be expected.
CREATE TABLE scan_visitors (
    day         date NOT NULL,
    account_id  bigint NOT NULL,
    visitor     bigint NOT NULL,
    link_id     bigint NOT NULL,
    PRIMARY KEY (day, account_id, visitor, link_id)
);

-- Of which days of an account all visitors are in there.
CREATE TABLE scan_visitor_days (
    day         date NOT NULL,
    account_id  bigint NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (day, account_id)
);
