-- How often the destination of a link was changed, by whomever: some plans allow it only so often.

ALTER TABLE links ADD COLUMN destination_changes integer NOT NULL DEFAULT 0;

CREATE FUNCTION count_destination_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.destination_changes := OLD.destination_changes + 1;
    RETURN NEW;
END
$$;

CREATE TRIGGER links_destination_changed BEFORE UPDATE OF destination ON links
    FOR EACH ROW WHEN (OLD.destination IS DISTINCT FROM NEW.destination) EXECUTE FUNCTION count_destination_change();
