-- More of what follows from a scan's request: the region that its country has, the kind of network it came by, the
-- browser's major version, the name of the bot where it was one, and the host of the referrer.
--
-- Columns without a default are added without touching a row. A writer of the version before, which may still run, names
-- its columns and goes on; its scans, like all those there are, have none of this. A referrer's host follows from the
-- referrer for them as well.

ALTER TABLE scans
    ADD COLUMN region           text,
    ADD COLUMN network          text,
    ADD COLUMN browser_version  text,
    ADD COLUMN bot              text,
    ADD COLUMN referrer_host    text;
