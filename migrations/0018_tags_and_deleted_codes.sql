-- Words that people sort links and codes by, and codes that are deleted and may be restored. Constant defaults rewrite no
-- table.

ALTER TABLE links ADD COLUMN tags text[] NOT NULL DEFAULT '{}';

ALTER TABLE qr_codes
    ADD COLUMN tags        text[] NOT NULL DEFAULT '{}',
    ADD COLUMN deleted_at  timestamptz;
