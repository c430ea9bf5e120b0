-- Every process keeps what it has answered of the pictures of codes, and hears from here which codes to answer anew,
-- whoever changed them. A statement that changes very many tells so once. Nobody keeps the picture of a code that there
-- is not, so a new one is no change. An empty notification says that any code may have changed; it is also what somebody
-- sends by hand (NOTIFY qredge_codes) who has changed codes with the triggers switched off.

CREATE FUNCTION notify_codes_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM changed LIMIT 101) AS first) > 100 THEN
        PERFORM pg_notify('qredge_codes', '');
    ELSE
        PERFORM pg_notify('qredge_codes', id::text) FROM changed;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER qr_codes_changed AFTER UPDATE ON qr_codes REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION notify_codes_changed();
CREATE TRIGGER qr_codes_deleted AFTER DELETE ON qr_codes REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION notify_codes_changed();

-- Symbols say the slugs of links, which no API changes.
CREATE FUNCTION notify_any_code_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('qredge_codes', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER qr_codes_truncated AFTER TRUNCATE ON qr_codes
    FOR EACH STATEMENT EXECUTE FUNCTION notify_any_code_changed();
CREATE TRIGGER links_renamed AFTER UPDATE ON links FOR EACH ROW
    WHEN (OLD.slug IS DISTINCT FROM NEW.slug) EXECUTE FUNCTION notify_any_code_changed();
