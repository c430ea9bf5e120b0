"""Counts of scans, from the rollups that the writer keeps; never from the log.

A period of whole intervals begins and ends with a quarter of an hour. Its series is made of the days that it touches,
which have counts by the quarter. Its groups are those of the whole months in it, of the whole days beside these, and of
the quarters beside those. What was counted in the last seconds is not in these rows yet, but next to them
(`scan_fresh`).
"""

import asyncio
from bisect import bisect_right
from datetime import date, datetime, timedelta
from functools import partial

import asyncpg
import orjson

from fastcore.sums import series, summed
from server.domain.model import AccountId, LinkId
from server.domain.stats import (
    EARLIEST,
    MAX_GROUPS,
    QUARTER,
    Asked,
    Bots,
    Bucket,
    Group,
    GroupBy,
    Period,
    Stats,
    Totals,
    largest,
)
from server.storage.postgres.pool import Database
from server.storage.rollup import ALL_LINKS, DIMENSIONS, OTHER, SLOTS

WHOSE = "account_id = $1 AND link_id = $2"
COUNTS = "people, bots, unique_people, unique_bots"

FRESH = f"SELECT {COUNTS}, quarter, last_scan_at, last_bot_at, groups FROM scan_fresh WHERE {WHOSE}"
TOTALS = f"SELECT {COUNTS}, last_scan_at, last_bot_at FROM scan_months WHERE {WHOSE}"
# Counts by the quarter are of those days alone in which an interval begins or ends.
DAYS = f"""
    SELECT {COUNTS}, day - date '{EARLIEST.date()}' AS number,
        CASE WHEN day IN (SELECT unnest($5::date[])) THEN counts END AS counts
    FROM scan_days WHERE {WHOSE} AND day >= $3 AND day <= $4 ORDER BY day
"""
GROUPS = f"""
    SELECT groups FROM scan_months WHERE {WHOSE} AND month >= $3 AND month < $4
    UNION ALL SELECT groups FROM scan_days WHERE {WHOSE} AND day >= $5 AND day < $3
    UNION ALL SELECT groups FROM scan_days WHERE {WHOSE} AND day >= $4 AND day < $6
    UNION ALL SELECT groups FROM scan_quarters WHERE {WHOSE} AND quarter >= $7 AND quarter < $8
    UNION ALL SELECT groups FROM scan_quarters WHERE {WHOSE} AND quarter >= $9 AND quarter < $10
"""

FIRST_DAY = EARLIEST.date().toordinal()


#: Of a row's counts, and of the halves of its groups: whose they are.
PEOPLE, PROGRAMS = 0, 1
#: Of the counts.
FIRST_UNIQUE = 2
WANTED: dict[Bots, tuple[int, ...]] = {"exclude": (PEOPLE,), "include": (PEOPLE, PROGRAMS), "only": (PROGRAMS,)}
#: Which of them say when the last one was.
LAST: dict[Bots, tuple[str, ...]] = {
    "exclude": ("last_scan_at",),
    "include": ("last_scan_at", "last_bot_at"),
    "only": ("last_bot_at",),
}
#: Bytes of groups that are added up elsewhere, so that redirects need not wait for them: some 0.2 ms.
LARGE = 1 << 18


class PostgresStats:
    """`StatsStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_link(self, account: AccountId, link: LinkId, asked: Asked) -> Stats:
        return await self._stats(account, link, asked)

    async def of_account(self, account: AccountId, asked: Asked) -> Stats:
        return await self._stats(account, ALL_LINKS, asked)

    async def _stats(self, account: AccountId, link: LinkId, asked: Asked) -> Stats:
        edges = asked.period.quarters()
        first, end = edges[0], edges[-1]
        cut = sorted({edge // SLOTS for edge in edges if edge % SLOTS})
        rows = []
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            fresh = await connection.fetch(FRESH, account, link)
            months = await connection.fetch(TOTALS, account, link)
            days = await connection.fetch(
                DAYS, account, link, _date(first // SLOTS), _date(end // SLOTS), [*map(_date, cut)]
            )
            if asked.group_by:
                rows = await connection.fetch(GROUPS, account, link, *_pieces(first, end))
        rows += [row for row in fresh if first <= _quarter(row) < end]
        return Stats(
            asked=asked,
            totals=_totals([*months, *fresh], asked.bots),
            series=_series(asked.period, edges, days, fresh, WANTED[asked.bots]),
            groups=await _groups([row["groups"] for row in rows], asked),
        )


def _date(day: int) -> date:
    """Of a day, counted from the first of all."""
    return date.fromordinal(FIRST_DAY + day)


def _quarter(row: asyncpg.Record) -> int:
    return int((row["quarter"] - EARLIEST) // QUARTER)


def _totals(rows: list[asyncpg.Record], bots: Bots) -> Totals:
    counted = [_counts(row, WANTED[bots]) for row in rows]
    last = [row[name] for row in rows for name in LAST[bots] if row[name] is not None]
    return Totals(sum(scans for scans, _ in counted), sum(unique for _, unique in counted), max(last, default=None))


def _counts(row: asyncpg.Record, wanted: tuple[int, ...]) -> tuple[int, int]:
    """Of a row that begins with COUNTS: how many scans of these are wanted, and how many unique ones."""
    return sum(row[whose] for whose in wanted), sum(row[FIRST_UNIQUE + whose] for whose in wanted)


# --- series -------------------------------------------------------------------------------------------------------


def _series(
    period: Period, edges: list[int], days: list[asyncpg.Record], fresh: list[asyncpg.Record], wanted: tuple[int, ...]
) -> list[Bucket]:
    """What was counted between each edge and the next, and what is fresh."""
    found = series(edges, days, (wanted, [FIRST_UNIQUE + whose for whose in wanted]))
    for row in fresh:
        at = bisect_right(edges, _quarter(row)) - 1
        if 0 <= at < len(found):
            found[at] = tuple(map(sum, zip(found[at], _counts(row, wanted), strict=True)))
    return [Bucket(period.local(edge), *counted) for edge, counted in zip(edges, found, strict=False)]


# --- groups -------------------------------------------------------------------------------------------------------


def _pieces(first: int, end: int) -> list[date | datetime]:
    """Where the months, days and quarters begin and end that a period is made of, as GROUPS wants them."""
    begin, until = -(-first // SLOTS) * SLOTS, end // SLOTS * SLOTS
    if begin > until:  # no midnight is within: its quarters are all one piece
        begin = until = end
    days = _date(begin // SLOTS), _date(until // SLOTS)
    months = _month_from(days[0]), days[1].replace(day=1)
    if months[0] > months[1]:
        months = days[1], days[1]
    quarters = [EARLIEST + quarter * QUARTER for quarter in (first, begin, until, end)]
    return [*months, *days, *quarters]


def _month_from(day: date) -> date:
    """The first day of a month from this one on."""
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=31)).replace(day=1)


async def _groups(rows: list[bytes], asked: Asked) -> dict[GroupBy, list[Group]]:
    """By each dimension. That of bots is by their names, which nobody else has."""
    wanted = [
        [DIMENSIONS.index(by) + whose * len(DIMENSIONS) for whose in WANTED[asked.bots] if by != "bot" or whose]
        for by in asked.group_by
    ]
    work = partial(summed, rows, wanted, MAX_GROUPS + 1)  # with OTHER
    sums = await asyncio.to_thread(work) if sum(map(len, rows)) > LARGE else work()
    return {by: largest(_named(found), total) for by, (found, total) in zip(asked.group_by, sums, strict=True)}


def _named(found: dict[bytes, int]) -> dict[str | None, int]:
    """By keys as they were before they were written, but for OTHER, which is none."""
    named = {orjson.loads(b'"%b"' % key) or None: scans for key, scans in found.items()}
    named.pop(OTHER, None)
    return named
