-- What the picture of a code is where nobody asks for another one: its width in pixels, and its format. Constant defaults
-- rewrite no table; they are also what codes get from a server of the version before, which names neither.

ALTER TABLE qr_codes
    ADD COLUMN size_px  integer NOT NULL DEFAULT 512,
    ADD COLUMN format   text NOT NULL DEFAULT 'png';
