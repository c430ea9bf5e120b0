-- Where a scan was made, as far as the client's address tells: a country's two letters (ISO 3166-1), and a city's name.
--
-- Columns without a default are added without touching a row. A writer of the version before, which may still run, names
-- its columns and goes on; its scans, like all those there are, have no place.

ALTER TABLE scans ADD COLUMN country text, ADD COLUMN city text;
