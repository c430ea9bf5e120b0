-- How many scans its link had when a code was made, so that it is known how many it has had since. For the codes there
-- are, which nobody has asked this of, it is all of them.
--
-- A default that is constant touches no row. A server of the version before, which may still run, names its columns and
-- goes on.

ALTER TABLE qr_codes ADD COLUMN scans_before bigint NOT NULL DEFAULT 0;
