-- Logos and photos that the designs of an account's codes name, by the SHA-256 of what was given. The bytes are what is
-- drawn: checked, and made smaller where they had more pixels than any picture of a code can show. Each account has its
-- own, so that nobody finds out by a hash what others have.

CREATE TABLE pictures (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),
    body        bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, sha256)
);

-- They are compressed already.
ALTER TABLE pictures ALTER COLUMN body SET STORAGE EXTERNAL;

-- Which codes have a picture: the last one that loses it takes it along.
CREATE INDEX qr_codes_logo ON qr_codes (account_id, (design #>> '{logo,image,sha256}'))
    WHERE design #>> '{logo,image,sha256}' IS NOT NULL;
CREATE INDEX qr_codes_background ON qr_codes (account_id, (design #>> '{background,image,sha256}'))
    WHERE design #>> '{background,image,sha256}' IS NOT NULL;
