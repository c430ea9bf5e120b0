-- What lists are sorted and filtered by. A list is read along one of the first three of its table, and what is rare in it
-- is found by one of the others.

CREATE INDEX CONCURRENTLY links_created ON links (account_id, created_at, id);
CREATE INDEX CONCURRENTLY links_updated ON links (account_id, updated_at, id);
CREATE INDEX CONCURRENTLY links_title ON links (account_id, (lower(coalesce(title, '')) COLLATE "C"), id);
CREATE INDEX CONCURRENTLY links_tags ON links USING gin (tags);
CREATE INDEX CONCURRENTLY links_deleted ON links (account_id, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX CONCURRENTLY links_paused ON links (account_id, id) WHERE NOT active;

CREATE INDEX CONCURRENTLY qr_codes_created ON qr_codes (account_id, created_at, id);
CREATE INDEX CONCURRENTLY qr_codes_updated ON qr_codes (account_id, updated_at, id);
CREATE INDEX CONCURRENTLY qr_codes_name ON qr_codes (account_id, (lower(coalesce(name, '')) COLLATE "C"), id);
CREATE INDEX CONCURRENTLY qr_codes_tags ON qr_codes USING gin (tags);
CREATE INDEX CONCURRENTLY qr_codes_deleted ON qr_codes (account_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX CONCURRENTLY qr_codes_static ON qr_codes (account_id, id) WHERE link_id IS NULL;

-- In the order in which lists by scans have links.
CREATE INDEX CONCURRENTLY scan_totals_scans ON scan_totals (scans, link_id);
