"""What accounts have used: counted at once where their plan has a limit, else in batches."""

from collections.abc import Mapping
from datetime import date

from server.domain.delivery import thresholds
from server.domain.model import AccountId
from server.domain.ports import Taken, Usage, Used, Window
from server.storage.postgres.pool import Database

TAKE_REQUEST = "SELECT refused, remaining, reset_s, used FROM take_request($1, $2, $3, $4)"

# Nobody waits for the disk, as in take_request.
TAKE_RENDERS = """
    WITH taken AS (
        INSERT INTO account_usage AS usage (account_id, month, renders)
        SELECT $1, $2, $3 FROM set_config('synchronous_commit', 'off', true) WHERE $4::bigint IS NULL OR $3 <= $4
        ON CONFLICT (account_id, month) DO UPDATE SET renders = usage.renders + excluded.renders
        WHERE $4::bigint IS NULL OR usage.renders + excluded.renders <= $4
        RETURNING renders
    ), reached AS (
        SELECT kind, jsonb_build_object('quota', jsonb_build_object(
            'limit', 'renders_per_month', 'used', renders, 'allowed', $5::bigint, 'month', $2::date
        )) AS quota
        FROM taken CROSS JOIN unnest($6::text[], $7::bigint[]) AS threshold (kind, at)
        WHERE renders >= at AND renders - $3 < at
    ), told AS (
        SELECT add_webhook_event(array_agg(id), kind, quota) FROM reached
        JOIN webhooks ON account_id = $1 AND active AND kind = ANY (events) GROUP BY kind, quota
    )
    SELECT renders, (SELECT count(*) FROM told) FROM taken
"""

# In the order of the keys, so that two processes cannot wait for each other.
ADD = """
    INSERT INTO account_usage AS usage (account_id, month, requests, renders)
    SELECT used.* FROM unnest($1::bigint[], $2::date[], $3::bigint[], $4::bigint[])
        AS used (account_id, month, requests, renders)
    JOIN accounts ON accounts.id = used.account_id
    ORDER BY 1, 2
    ON CONFLICT (account_id, month) DO UPDATE SET
        requests = usage.requests + excluded.requests,
        renders = usage.renders + excluded.renders
"""

USAGE = """
    SELECT
        coalesce((SELECT requests FROM account_usage WHERE account_id = $1 AND month = $2), 0) AS requests,
        coalesce((SELECT renders FROM account_usage WHERE account_id = $1 AND month = $2), 0) AS renders,
        (SELECT count(*) FROM links WHERE account_id = $1 AND deleted_at IS NULL) AS links,
        (SELECT count(*) FROM qr_codes
            WHERE account_id = $1 AND link_id IS NOT NULL AND deleted_at IS NULL) AS dynamic_codes,
        (SELECT count(*) FROM api_keys WHERE account_id = $1 AND (expires_at IS NULL OR expires_at > now())) AS keys
"""


class PostgresUsage:
    """`UsageStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_request(
        self, account: AccountId, *, per_minute: int | None, per_month: int | None, month: date
    ) -> Taken:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(TAKE_REQUEST, account, per_minute, per_month, month)
        assert row is not None, "a function answers"
        window = None if per_minute is None else Window(row["refused"] != "minute", row["remaining"], row["reset_s"])
        return Taken(window, row["refused"] == "month", row["used"] or 0)

    async def take_renders(
        self, account: AccountId, count: int, *, at_most: int | None, month: date, allowed: int | None = None
    ) -> int | None:
        reached = {} if allowed is None else thresholds(allowed)
        async with self._database.connection() as connection:
            used: int | None = await connection.fetchval(
                TAKE_RENDERS, account, month, count, at_most, allowed, list(reached), list(reached.values())
            )
        return used

    async def add(self, used: Mapping[tuple[AccountId, date], Used]) -> None:
        accounts, months = zip(*used, strict=True)
        requests, renders = zip(*used.values(), strict=True)
        async with self._database.connection() as connection:
            await connection.execute(ADD, accounts, months, requests, renders)

    async def usage(self, account: AccountId, month: date) -> Usage:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(USAGE, account, month)
        assert row is not None, "it is made of counts"
        return Usage(**row)
