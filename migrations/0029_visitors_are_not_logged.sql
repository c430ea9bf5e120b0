-- Who has scanned what on a day is written once for nearly every scan, and its copy in the write-ahead log costs the
-- database a fifth of all that it does for one. It can be had from the log of scans: after a crash these tables are empty,
-- and a day of an account that is not among the days is read from there before it is counted on.
--
-- They hold two days, so rewriting them takes a moment, in which scans wait in their journals.
ALTER TABLE scan_visitors SET UNLOGGED;
ALTER TABLE scan_visitor_days SET UNLOGGED;
