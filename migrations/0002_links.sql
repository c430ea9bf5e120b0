-- Links. A deleted link keeps its row and its slug: its codes are on paper, and must not lead anywhere else.

CREATE TABLE links (
    id           bigint PRIMARY KEY,
    account_id   bigint NOT NULL REFERENCES accounts,
    slug         text NOT NULL CONSTRAINT links_slug_key UNIQUE CHECK (slug = lower(slug)),
    destination  text NOT NULL,
    title        text,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    deleted_at   timestamptz
);

CREATE INDEX links_account ON links (account_id, id DESC) WHERE deleted_at IS NULL;

-- Every process holds the link table in memory and hears from here which slug to look at again, whoever changed it:
-- the API, another process, or a person with psql. A renamed slug is two changes.
CREATE FUNCTION notify_link_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM pg_notify('qredge_links', OLD.slug);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('qredge_links', NEW.slug);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER links_changed AFTER INSERT OR UPDATE OR DELETE ON links
    FOR EACH ROW EXECUTE FUNCTION notify_link_changed();
