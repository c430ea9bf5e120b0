-- How far into the log of scans a webhook was told, by their ids, which are in the order in which scans are committed.
-- Those there are begin where the log is when they first want scans. No default: no table is rewritten.

ALTER TABLE webhooks ADD COLUMN scans_told bigint;
