-- Webhooks, what they are told, and how that went.
--
-- An event is put down by a trigger, in the transaction that makes the change: told are changes by anybody, also by
-- SQL, and no change goes without its event. Accounts without webhooks pay for one look into an index.

CREATE TABLE webhooks (
    id                   bigint PRIMARY KEY,
    account_id           bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name                 text,
    url                  text NOT NULL,
    events               text[] NOT NULL,
    active               boolean NOT NULL DEFAULT true,
    -- Why the server has made it inactive: 'gone', 'failing'; null where it did not.
    disabled_reason      text,
    -- Since when every attempt has failed, and how many have; null after one that did not.
    failing_since        timestamptz,
    failures             integer NOT NULL DEFAULT 0,
    -- They have to be known to sign with them.
    secret               bytea NOT NULL,
    old_secret           bytea,
    old_secret_until     timestamptz,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL
);

CREATE INDEX webhooks_account ON webhooks (account_id, id DESC);

-- What has happened, with the thing as its row was then.
CREATE TABLE webhook_events (
    id    bigint PRIMARY KEY,
    type  text NOT NULL,
    at    timestamptz NOT NULL,
    data  jsonb NOT NULL
);

-- An event for one webhook. While it waits, next_attempt_at is not null; whoever sends it moves that ahead for as long
-- as the sending may take, so that it falls due again when the sender dies.
CREATE TABLE webhook_deliveries (
    event_id         bigint NOT NULL REFERENCES webhook_events ON DELETE CASCADE,
    webhook_id       bigint NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    status           text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts         integer NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz,
    last_attempt_at  timestamptz,
    response_status  smallint,
    duration_ms      integer,
    error            text,
    PRIMARY KEY (event_id, webhook_id),
    CONSTRAINT webhook_deliveries_pending CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL))
);

CREATE INDEX webhook_deliveries_log ON webhook_deliveries (webhook_id, event_id DESC);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;

-- Puts an event down for these webhooks. Its id is made as all ids are (milliseconds since 2024, then 22 random bits),
-- but anew where another one has it: a clash may not undo a change that has nothing to do with it.
CREATE FUNCTION add_webhook_event(hooks bigint[], kind text, what jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    happened  timestamptz := clock_timestamp();
    event     bigint;
BEGIN
    LOOP
        event := ((extract(epoch FROM happened) - 1704067200) * 1000)::bigint << 22 | floor(random() * 4194304)::bigint;
        INSERT INTO webhook_events (id, type, at, data) VALUES (event, kind, happened, what) ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
    END LOOP;
    INSERT INTO webhook_deliveries (event_id, webhook_id, next_attempt_at)
    SELECT event, hook, happened FROM unnest(hooks) AS hook;
    RETURN event;
END
$$;

-- What has become of a thing: its row before and after, of which one may be null. A deleted thing may keep its row, with
-- the time of it in deleted_at; what changes of it then is nobody's news. The webhooks that are told are kept from being
-- deleted before the event is put down for them.
CREATE FUNCTION tell_webhooks(account bigint, thing text, was jsonb, becomes jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    kind   text;
    hooks  bigint[];
    told   jsonb := coalesce(becomes, was);
BEGIN
    kind := thing || CASE
        WHEN becomes IS NULL OR becomes ->> 'deleted_at' IS NOT NULL THEN
            CASE WHEN was IS NOT NULL AND was ->> 'deleted_at' IS NULL THEN '.deleted' END
        WHEN was IS NULL THEN '.created'
        WHEN was ->> 'deleted_at' IS NOT NULL THEN '.restored'
        WHEN was <> becomes THEN '.updated'
    END;
    hooks := ARRAY(
        SELECT id FROM webhooks WHERE account_id = account AND active AND kind = ANY (events) FOR KEY SHARE
    );
    IF hooks <> '{}' THEN
        PERFORM add_webhook_event(hooks, kind, CASE thing
            WHEN 'link' THEN jsonb_build_object('link', without_hash(told))
            ELSE jsonb_build_object('qr_code', told, 'link', (
                SELECT without_hash(to_jsonb(links)) FROM links WHERE id = (told ->> 'link_id')::bigint
            ))
        END);
    END IF;
END
$$;

-- Hashes of passwords stay where they are: that there is one is all that is told.
CREATE FUNCTION without_hash(link jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN link ->> 'password_hash' IS NULL THEN link ELSE jsonb_set(link, '{password_hash}', '""') END
$$;

-- New rows may be a million at once: they are looked at together.
CREATE FUNCTION tell_of_new() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account  bigint;
BEGIN
    FOR account IN SELECT DISTINCT account_id FROM added LOOP
        IF EXISTS (SELECT FROM webhooks WHERE account_id = account AND active) THEN
            PERFORM tell_webhooks(account, TG_ARGV[0], NULL, to_jsonb(added)) FROM added WHERE account_id = account;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION tell_of_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM webhooks WHERE account_id = OLD.account_id AND active) THEN
        PERFORM tell_webhooks(OLD.account_id, TG_ARGV[0], to_jsonb(OLD), to_jsonb(NEW));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER links_told_new AFTER INSERT ON links REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_new('link');
CREATE TRIGGER links_told AFTER UPDATE OR DELETE ON links
    FOR EACH ROW EXECUTE FUNCTION tell_of_changed('link');
CREATE TRIGGER qr_codes_told_new AFTER INSERT ON qr_codes REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_new('qr_code');
CREATE TRIGGER qr_codes_told AFTER UPDATE OR DELETE ON qr_codes
    FOR EACH ROW EXECUTE FUNCTION tell_of_changed('qr_code');
