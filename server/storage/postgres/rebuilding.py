"""Counting scans anew, month by month, from the rows of the log.

Writers wait for as long as a month takes, and their scans stay in the journals. Of months of which rows are gone
nothing is counted anew. What a version before has counted by the hour, and has no rows any more, counts as scans of
which nothing else is known.
"""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from fastcore.tally import Run
from server.domain.referrer import host_of
from server.storage.postgres.copying import microseconds
from server.storage.postgres.pool import Database
from server.storage.postgres.rollups import FOLDING, KINDS, LOCK, Key, Kind
from server.storage.rollup import (
    QUARTER_US,
    UNKNOWN,
    Keys,
    Row,
    agent_keys,
    joined,
    language_key,
    place_keys,
    source_key,
    tally,
    unknown,
)

if TYPE_CHECKING:
    import asyncpg

    from server.storage.postgres.pool import Connection

# Whoever adds what is fresh to the rollups is waited for, as well.
LOCK_FOLDING = f"SELECT pg_advisory_xact_lock({FOLDING})"

MONTH_OF = "date_trunc('month', {at} AT TIME ZONE 'UTC')::date"

# In place of '-infinity' come all months that were counted by the hour.
FIND = f"""
    WITH found AS (DELETE FROM scan_rollups WHERE month = '-infinity' RETURNING month)
    INSERT INTO scan_rollups (month, stale)
    SELECT DISTINCT {MONTH_OF.format(at="hour")}, true FROM scan_hours WHERE EXISTS (SELECT FROM found)
    ON CONFLICT (month) DO UPDATE SET stale = true
"""
STALE = "SELECT month FROM scan_rollups WHERE stale ORDER BY month DESC"
FIRST = r"substring(bounds FROM $re$FROM \('([^']+)'\)$re$)::timestamptz"
ALL = f"""
    SELECT {MONTH_OF.format(at=FIRST)} AS month
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid, pg_get_expr(relpartbound, inhrelid) AS bounds
    WHERE inhparent = 'scans'::regclass AND bounds LIKE 'FOR VALUES FROM%'
    UNION SELECT {MONTH_OF.format(at="scanned_at")} FROM scans_default
    UNION SELECT {MONTH_OF.format(at="hour")} FROM scan_hours
    UNION SELECT month FROM scan_months
    UNION SELECT month FROM scan_rollups
    ORDER BY month
"""

# A writer of the version before that comes later waits here, and makes the month stale again.
BEGIN = """
    INSERT INTO scan_rollups (month) VALUES ($1) ON CONFLICT (month) DO UPDATE SET stale = false RETURNING dropped
"""
CLEAR = (
    "DELETE FROM scan_fresh WHERE quarter >= $1::date AND quarter < $2::date",
    "DELETE FROM scan_quarters WHERE quarter >= $1::date AND quarter < $2::date",
    "DELETE FROM scan_days WHERE day >= $1 AND day < $2",
    "DELETE FROM scan_months WHERE month >= $1 AND month < $2",
    # These may lack some; they are remembered anew from the log.
    "DELETE FROM scan_visitors WHERE day >= $1 AND day < $2",
    "DELETE FROM scan_visitor_days WHERE day >= $1 AND day < $2",
)

# In the order of the log; scans of a version before have no id, and are older than all that have one. Those that are
# missing come before them: $1 and $2 are the month's begin and end.
SCANS = """
    WITH of_month AS (
        SELECT coalesce(scans.account_id, links.account_id, 0) AS account, scans.ctid AS place, scans.*
        FROM scans LEFT JOIN links ON scans.account_id IS NULL AND links.id = link_id
        WHERE scanned_at >= $1::date AND scanned_at < $2::date
    ), missing AS (
        SELECT coalesce(account_id, 0) AS account, link_id, hour,
            greatest(scans - coalesce(people, 0), 0) AS people,
            greatest(scan_hours.bots - coalesce(found.bots, 0), 0) AS bots
        FROM scan_hours LEFT JOIN links ON links.id = link_id LEFT JOIN (
            SELECT link_id, date_trunc('hour', scanned_at) AS hour,
                count(*) FILTER (WHERE device IS DISTINCT FROM 'bot') AS people,
                count(*) FILTER (WHERE device = 'bot') AS bots
            FROM of_month GROUP BY 1, 2
        ) AS found USING (link_id, hour)
        WHERE hour >= $1::date AND hour < $2::date
    )
    SELECT account, {link} AS link, hour AS at, people AS missing_people, bots AS missing_bots, false AS first,
        NULL AS device, NULL AS os, NULL AS browser, NULL AS browser_version, NULL AS bot,
        NULL AS country, NULL AS region, NULL AS city, NULL AS network,
        NULL AS language, NULL AS referrer, NULL AS referrer_host, NULL::boolean AS from_code,
        NULL::bigint AS id, NULL::tid AS place
    FROM missing WHERE people > 0 OR bots > 0
    UNION ALL
    SELECT account, {link}, scanned_at, NULL, NULL,
        visitor IS NOT NULL AND 1 = row_number() OVER (
            PARTITION BY account, {link}, visitor, scanned_at::date ORDER BY id NULLS FIRST, scanned_at, place
        ),
        device, os, browser, browser_version, bot, country, region, city, network,
        language, referrer, referrer_host, from_code, id, place
    FROM of_month
    ORDER BY account, link, missing_people NULLS LAST, id NULLS FIRST, at, place
"""
#: By link, and by account.
LINKS = ("link_id", "0::bigint")

#: For sorting a month; what is more goes to the disk.
MEMORY = "SET LOCAL work_mem = '128MB'"

#: Of a month of hundreds of millions.
REBUILD_S = 86_400.0
#: Rows of the log that are counted at once, and of the rollups that are stored at once.
CHUNK = 2_000


Rows = list[tuple[Kind, dict[Key, Row]]]


class PostgresRollups:
    """`Rollups`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def months(self) -> list[date]:
        async with self._database.connection() as connection:
            await connection.execute(FIND, timeout=REBUILD_S)
            return [row[0] for row in await connection.fetch(ALL, timeout=REBUILD_S)]

    async def stale(self) -> list[date]:
        async with self._database.connection() as connection:
            await connection.execute(FIND, timeout=REBUILD_S)
            return [row[0] for row in await connection.fetch(STALE)]

    async def rebuild(self, month: date) -> int | None:
        end = (month + timedelta(days=31)).replace(day=1)
        async with self._database.connection() as connection, connection.transaction():
            for statement in (LOCK_FOLDING, LOCK, MEMORY):
                await connection.execute(statement, timeout=REBUILD_S)
            if await connection.fetchval(BEGIN, month, timeout=REBUILD_S):
                return None
            for statement in CLEAR:
                await connection.execute(statement, month, end, timeout=REBUILD_S)
            counted = [await _count(connection, SCANS.format(link=link), month, end) for link in LINKS]
            assert counted[0] == counted[1], "a scan of an account is one of a link"
        return counted[0]


async def _count(connection: "Connection", query: str, month: date, end: date) -> int:
    """Makes the rows of a month, and returns the number of scans."""
    count = 0
    rows: Rows = [(kind, {}) for kind in KINDS]
    async for chunk in _chunks(connection, query, month, end):
        for run in joined(_runs(chunk)):
            count += run.people + run.bots
            for kind, found in rows:
                found.setdefault(kind.key(run), Row()).add(run)
        # What comes next goes on with the last link.
        await _store(connection, rows, but=(chunk[-1]["account"], chunk[-1]["link"]))
    await _store(connection, rows, but=None)
    return count


async def _chunks(connection: "Connection", query: str, *of: date) -> AsyncIterator[list["asyncpg.Record"]]:
    cursor = await connection.cursor(query, *of, timeout=REBUILD_S)
    while chunk := await cursor.fetch(CHUNK, timeout=REBUILD_S):
        yield chunk


async def _store(connection: "Connection", rows: Rows, *, but: tuple[int, int] | None) -> None:
    """Stores the rows that are complete: all but those of one link."""
    for kind, found in rows:
        done = [key for key in found if key[:2] != but]
        for at in range(0, len(done), CHUNK):
            await kind.store(connection, {key: found.pop(key) for key in done[at : at + CHUNK]})


def _runs(chunk: list["asyncpg.Record"]) -> list[Run]:
    missing = [
        unknown(row["account"], row["link"], microseconds(row["at"]) // QUARTER_US, *row[3:5])
        for row in chunk
        if row["missing_people"] is not None
    ]
    scans = [row for row in chunk if row["missing_people"] is None]
    found = tally()
    found.add(
        (row["account"], row["link"], microseconds(row["at"]), _keys(row), row["device"] == "bot") for row in scans
    )
    found.add_firsts(number for number, row in enumerate(scans) if row["first"])
    return missing + found.close()


def _keys(row: "asyncpg.Record") -> Keys:
    host = row["referrer_host"] or (host_of(row["referrer"]) if row["referrer"] else None)
    return (
        *agent_keys(row["device"], row["os"], row["browser"], row["browser_version"], row["bot"]),
        *place_keys(row["country"], row["region"], row["city"], row["network"]),
        *(language_key(row["language"]), host or UNKNOWN, source_key(row["from_code"])),
    )
