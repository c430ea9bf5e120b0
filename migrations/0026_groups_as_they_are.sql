-- The keys of rollups are kept as they are: a figure is made of up to two hundred rows, which PostgreSQL takes longer to
-- decompress than it takes to add them up. Rows there are stay compressed until they are written again.

ALTER TABLE scan_quarters ALTER COLUMN groups SET STORAGE EXTERNAL;
ALTER TABLE scan_days ALTER COLUMN groups SET STORAGE EXTERNAL;
ALTER TABLE scan_months ALTER COLUMN groups SET STORAGE EXTERNAL;
