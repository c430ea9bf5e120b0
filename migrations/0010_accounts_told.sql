-- Every process holds in memory who holds which key, and hears from here whose keys to ask for again, whoever changed
-- them or the account. Nobody holds a key in memory that there is not, so a new one is no change; nor is its last use.
-- An empty notification says that anything may have changed; it is also what somebody sends by hand
-- (NOTIFY qredge_accounts) who has changed accounts or keys with the triggers switched off.

-- The argument is the column that has the account's id.
CREATE FUNCTION notify_account_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('qredge_accounts', CASE TG_LEVEL WHEN 'ROW' THEN to_jsonb(OLD) ->> TG_ARGV[0] ELSE '' END);
    RETURN NULL;
END
$$;

CREATE TRIGGER accounts_changed AFTER UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION notify_account_changed('id');
CREATE TRIGGER accounts_truncated AFTER TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION notify_account_changed();

CREATE TRIGGER api_keys_changed AFTER UPDATE ON api_keys FOR EACH ROW
    WHEN (to_jsonb(OLD) - 'last_used_at' IS DISTINCT FROM to_jsonb(NEW) - 'last_used_at')
    EXECUTE FUNCTION notify_account_changed('account_id');
CREATE TRIGGER api_keys_deleted AFTER DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION notify_account_changed('account_id');
CREATE TRIGGER api_keys_truncated AFTER TRUNCATE ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION notify_account_changed();
