-- What accounts have used, and how a plan's requests are counted.

-- In a month of the calendar (UTC). Apart from accounts, whose every change is told to every process.
CREATE TABLE account_usage (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    month       date NOT NULL,
    requests    bigint NOT NULL DEFAULT 0,
    renders     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, month)
) WITH (fillfactor = 50);

-- The requests of the last minute, numbered, where no Redis counts them: those from `first` to `last` have a row, with
-- the time at which they were let through. None of this is worth keeping when the database crashes.
CREATE UNLOGGED TABLE request_windows (
    account_id  bigint PRIMARY KEY,
    first       bigint NOT NULL,
    last        bigint NOT NULL
) WITH (fillfactor = 50);

CREATE UNLOGGED TABLE request_times (
    account_id  bigint NOT NULL,
    number      bigint NOT NULL,
    taken_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, number)
);

-- Counts a request, or says which limit it is over; null is no limit. Exact, as whoever comes second waits for the row
-- that the first one has locked. A request that is refused counts nowhere.
CREATE FUNCTION take_request(
    account bigint, per_minute integer, per_month bigint, this_month date,
    OUT refused text, OUT remaining integer, OUT reset_s double precision, OUT used bigint
) LANGUAGE plpgsql AS $$
DECLARE
    a_minute CONSTANT interval := '1 minute';
    moment   timestamptz;
    head     bigint;
    tail     bigint;
    low      bigint;
    high     bigint;
    middle   bigint;
BEGIN
    -- Nobody waits for the disk: a crash of the database forgets the last fraction of a second.
    PERFORM set_config('synchronous_commit', 'off', true);
    IF per_minute IS NOT NULL THEN
        LOOP
            SELECT first, last INTO head, tail FROM request_windows WHERE account_id = account FOR UPDATE;
            EXIT WHEN FOUND;
            INSERT INTO request_windows VALUES (account, 1, 0) ON CONFLICT DO NOTHING;
        END LOOP;
        moment := clock_timestamp();
        -- The times grow with the numbers: the first one within the minute is found by halves.
        low := head;
        high := tail + 1;
        WHILE low < high LOOP
            middle := CASE WHEN low = head THEN head ELSE (low + high) / 2 END;  -- mostly it is the first one, or none
            IF coalesce((SELECT taken_at FROM request_times WHERE account_id = account AND number = middle), '-infinity')
                <= moment - a_minute
            THEN
                low := middle + 1;
            ELSE
                high := middle;
            END IF;
        END LOOP;
        IF low > head THEN
            DELETE FROM request_times WHERE account_id = account AND number >= head AND number < low;
            UPDATE request_windows SET first = low WHERE account_id = account;
        END IF;
        IF tail - low + 1 >= per_minute THEN
            refused := 'minute';
            tail := tail - per_minute + 1;
            reset_s := extract(epoch FROM a_minute + (
                SELECT taken_at FROM request_times WHERE account_id = account AND number = tail
            ) - moment);
            remaining := 0;
            RETURN;
        END IF;
    END IF;
    IF per_month IS NOT NULL THEN
        INSERT INTO account_usage AS usage (account_id, month, requests) VALUES (account, this_month, 1)
        ON CONFLICT (account_id, month) DO UPDATE SET requests = usage.requests + 1 WHERE usage.requests < per_month
        RETURNING usage.requests INTO used;
        IF NOT FOUND THEN
            refused := 'month';
            used := per_month;
        END IF;
    END IF;
    IF per_minute IS NOT NULL THEN
        IF refused IS NULL THEN
            tail := tail + 1;
            INSERT INTO request_times VALUES (account, tail, moment);
            UPDATE request_windows SET last = tail WHERE account_id = account;
        END IF;
        remaining := per_minute - (tail - low + 1);
        reset_s := coalesce(extract(epoch FROM a_minute + (
            SELECT taken_at FROM request_times WHERE account_id = account AND number = low
        ) - moment), 0);
    END IF;
END
$$;
