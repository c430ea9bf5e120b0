-- No row tells that it went when all did. An empty notification says that anything may have changed; it is also what
-- somebody sends by hand (NOTIFY qredge_links) who has changed links with the triggers switched off. A process of the
-- version before takes it for a slug that no link has.

CREATE FUNCTION notify_links_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('qredge_links', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER links_truncated AFTER TRUNCATE ON links
    FOR EACH STATEMENT EXECUTE FUNCTION notify_links_changed();
