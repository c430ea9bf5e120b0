"""Scans in the log, for whoever reads them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from server.domain.errors import Busy
from server.domain.log import LogPage, Place, Wanted
from server.domain.model import AccountId, LinkId, RecordedScan, ScanId
from server.domain.stats import LATEST, Bots
from server.storage.postgres.pages import ABOVE_ALL, Where
from server.storage.postgres.pool import Database

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

COLUMNS = """
    id, link_id, scanned_at, referrer, language, address::text, visitor, device, os, browser, from_code,
    browser_version, bot, referrer_host, network
"""
WITH_PLACE = f"{COLUMNS}, country, region, city"

LAST = "SELECT coalesce(max(last), 0) FROM scan_ids"

# Of scans of one time the number decides: their id or, where they have none, the place of their row, which is less than
# any id and stays, as rows of the log are never changed.
NUMBER = "coalesce(id, (ctid::text::point)[0]::bigint << 16 | (ctid::text::point)[1]::bigint)"
BY_TIME, BY_ID = "scanned_at {0}, number {0}", "number {0}"

# What is wanted may be rare: only so many scans are looked at, and where they end, and how many they were and how many
# of them are wanted, is told beside those that are, or, where none is, alone.
PAGE = f"""
    WITH seen AS MATERIALIZED (
        SELECT {WITH_PLACE}, {{number}} AS number FROM scans WHERE {{behind}} ORDER BY {{order}} LIMIT {{span}}
    ), edge AS (
        SELECT scanned_at AS edge_at, number AS edge, count(*) OVER () AS seen,
            count(*) FILTER (WHERE {{wanted}}) OVER () AS met
        FROM seen ORDER BY {{reverse}} LIMIT 1
    )
    SELECT found.*, edge.* FROM edge LEFT JOIN (
        SELECT * FROM seen WHERE {{wanted}} ORDER BY {{order}} LIMIT {{limit}} OFFSET {{skip}}
    ) AS found ON true
    ORDER BY {{order}}
"""
#: Scans that are looked at by one query, at most, and for one page.
MAX_SEEN = 20_000
MAX_SEEN_FOR_PAGE = 100_000

#: Whether those that are not wanted are bots.
UNWANTED: dict[Bots, bool | None] = {"exclude": True, "include": None, "only": False}
BEFORE_ALL = Place(LATEST, ABOVE_ALL)

# Rows of a version before have no host of their referrer, but the referrer (server/domain/referrer.py).
HOST = r"'^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(\[[^]/?#]*\]|[^:/?#]+)'"
REFERRER_HOST = f"coalesce(referrer_host, lower(substring(referrer FROM {HOST})))"

AFTER = f"SELECT {WITH_PLACE} FROM scans WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3"

INDEXED = "SELECT NOT EXISTS (SELECT FROM scans_without_index())"


class PostgresRecordedScans:
    """`RecordedScans`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._indexed = False

    async def last(self) -> ScanId:
        async with self._database.connection() as connection:
            return ScanId(await connection.fetchval(LAST))

    async def of_link(
        self, link: LinkId, wanted: Wanted, *, before: Place | None, limit: int, skip: int = 0
    ) -> LogPage:
        def behind(place: Place) -> Where:
            where = Where()
            where.add("link_id = {}", link)
            where.add(f"scanned_at <= {{0}} AND (scanned_at < {{0}} OR {NUMBER} < {{1}})", *place)
            return where

        async with self._database.connection() as connection:
            return await _page(connection, _Log(NUMBER, BY_TIME, behind), wanted, before, limit, skip)

    async def of_account(
        self, account: AccountId, wanted: Wanted, *, before: Place | None, limit: int, skip: int = 0
    ) -> LogPage:
        def behind(place: Place) -> Where:
            where = Where()
            where.add("account_id = {} AND id < {}", account, place.number)
            return where

        async with self._database.connection() as connection:
            await self._check_index(connection)
            return await _page(connection, _Log("id", BY_ID, behind), wanted, before, limit, skip)

    async def after(self, account: AccountId, scan: ScanId, *, limit: int) -> list[RecordedScan]:
        async with self._database.connection() as connection:
            await self._check_index(connection)
            return [_recorded(row) for row in await connection.fetch(AFTER, account, scan, limit)]

    async def _check_index(self, connection: "Connection") -> None:
        self._indexed = self._indexed or await connection.fetchval(INDEXED)
        if not self._indexed:
            raise Busy("The log is being indexed, as it is once after an update. Try this again in some minutes.")


class _Log(NamedTuple):
    """Scans in an order."""

    number: str
    order: str
    #: Those of them behind a place.
    behind: Callable[[Place], Where]


async def _page(
    connection: "Connection", log: _Log, wanted: Wanted, before: Place | None, limit: int, skip: int
) -> LogPage:
    """Looks first at a few more than are asked for, and at ever more while too few of them are wanted."""
    place = before or BEFORE_ALL
    found: list[asyncpg.Record] = []
    span, seen, enough = min((skip + limit) * 5 // 4 + 1, MAX_SEEN), 0, MAX_SEEN_FOR_PAGE + skip
    while seen < enough:
        query, values = _query(log, place, wanted, span, limit + 1 - len(found), skip)
        rows = await connection.fetch(query, *values)
        found += [row for row in rows if row["number"] is not None]
        if len(found) > limit:
            last = found[limit - 1]
            return LogPage([_recorded(row) for row in found[:limit]], Place(last["scanned_at"], last["number"]))
        if not rows or rows[0]["seen"] < span:
            return LogPage([_recorded(row) for row in found], None)
        place, skip = Place(rows[0]["edge_at"], rows[0]["edge"]), max(skip - rows[0]["met"], 0)
        seen += span
        span = min(span * 8, MAX_SEEN)
    return LogPage([_recorded(row) for row in found], place)


def _query(log: _Log, place: Place, wanted: Wanted, span: int, limit: int, skip: int) -> tuple[str, list[object]]:
    behind = log.behind(place)
    behind.add("scanned_at >= {} AND scanned_at < {}", wanted.start, wanted.end)
    filters = _filters(wanted, behind.values)
    values = [*filters.values, span, limit, skip]
    query = PAGE.format(
        number=log.number,
        behind=behind,
        order=log.order.format("DESC"),
        reverse=log.order.format("ASC"),
        wanted=filters,
        span=f"${len(values) - 2}",
        limit=f"${len(values) - 1}",
        skip=f"${len(values)}",
    )
    return query, values


def _filters(wanted: Wanted, values: list[object]) -> Where:
    where = Where(values)
    where.add("coalesce(device = 'bot', false) IS DISTINCT FROM {}::boolean", UNWANTED[wanted.bots])
    for column in ("country", "device", "os", "browser"):
        if (value := getattr(wanted, column)) is not None:
            where.add(f"{column} = {{}}", value)
    if wanted.referrer_host is not None:
        where.add(f"{REFERRER_HOST} = {{}}", wanted.referrer_host)
    if wanted.source is not None:
        where.add("from_code = {}", wanted.source == "scan")
    return where


def _recorded(row: asyncpg.Record) -> RecordedScan:
    scan_id, link, *rest = list(row)[: len(RecordedScan._fields)]
    return RecordedScan(None if scan_id is None else ScanId(scan_id), LinkId(link), *rest)
