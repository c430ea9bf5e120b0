"""Counts of scans, from the rollups that the writer keeps; never from the log.

A period of whole intervals begins and ends with a quarter of an hour. Its series is made of the days that it touches,
which have counts by the quarter. Its groups are those of the whole months in it, of the whole days beside these, and of
the quarters beside those. What was counted in the last seconds is not in these rows yet, but next to them
(`scan_fresh`).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Protocol

import asyncpg
import orjson

from fastcore.sums import summed
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
from server.storage.rollup import ALL_LINKS, DIMENSIONS, OTHER, SLOTS, lines, slots_between

WHOSE = "account_id = $1 AND link_id = $2"
COUNTS = "people, bots, unique_people, unique_bots"

FRESH = f"SELECT {COUNTS}, quarter, last_scan_at, last_bot_at, groups FROM scan_fresh WHERE {WHOSE}"
TOTALS = f"SELECT {COUNTS}, last_scan_at, last_bot_at FROM scan_months WHERE {WHOSE}"
# Where all intervals begin with a day (UTC), nobody looks into one.
DAYS = f"""
    SELECT {COUNTS}, day, CASE WHEN $5 THEN counts END AS counts
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


class Counted(Protocol):
    """Counts, or a row that begins with COUNTS."""

    def __getitem__(self, at: int, /) -> int: ...


#: How many scans of these are wanted, and how many unique ones.
Counter = Callable[[Counted], tuple[int, int]]
WANTED: dict[Bots, Counter] = {
    "exclude": lambda counts: (counts[0], counts[2]),
    "include": lambda counts: (counts[0] + counts[1], counts[2] + counts[3]),
    "only": lambda counts: (counts[1], counts[3]),
}
#: Which of them say when the last one was.
LAST: dict[Bots, tuple[str, ...]] = {
    "exclude": ("last_scan_at",),
    "include": ("last_scan_at", "last_bot_at"),
    "only": ("last_bot_at",),
}
#: Where in a row's groups they begin.
PEOPLE, PROGRAMS = 0, len(DIMENSIONS)
HALVES: dict[Bots, tuple[int, ...]] = {"exclude": (PEOPLE,), "include": (PEOPLE, PROGRAMS), "only": (PROGRAMS,)}


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
        inside = any(edge % SLOTS for edge in edges)
        rows = []
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            fresh = await connection.fetch(FRESH, account, link)
            months = await connection.fetch(TOTALS, account, link)
            days = await connection.fetch(DAYS, account, link, _date(first // SLOTS), _date(end // SLOTS), inside)
            if asked.group_by:
                rows = await connection.fetch(GROUPS, account, link, *_pieces(first, end))
        rows += [row for row in fresh if first <= _quarter(row) < end]
        packed = [lines(row["groups"]) for row in rows]
        return Stats(
            asked=asked,
            totals=_totals([*months, *fresh], asked.bots),
            series=_series(asked.period, edges, days, fresh, WANTED[asked.bots]),
            groups={dimension: _groups(packed, dimension, asked.bots) for dimension in asked.group_by},
        )


def _date(day: int) -> date:
    """Of a day, counted from the first of all."""
    return date.fromordinal(FIRST_DAY + day)


def _quarter(row: asyncpg.Record) -> int:
    return int((row["quarter"] - EARLIEST) // QUARTER)


def _totals(rows: list[asyncpg.Record], bots: Bots) -> Totals:
    counted = [WANTED[bots](row) for row in rows]
    last = [row[name] for row in rows for name in LAST[bots] if row[name] is not None]
    return Totals(sum(scans for scans, _ in counted), sum(unique for _, unique in counted), max(last, default=None))


# --- series -------------------------------------------------------------------------------------------------------


def _series(
    period: Period, edges: list[int], days: list[asyncpg.Record], fresh: list[asyncpg.Record], wanted: Counter
) -> list[Bucket]:
    """What was counted up to each edge less what was up to the one before, and what is fresh."""
    sums = [*_sums(edges, days, wanted)]
    found = [[end[0] - start[0], end[1] - start[1]] for start, end in pairwise(sums)]
    for row in fresh:
        at = bisect_right(edges, _quarter(row)) - 1
        if 0 <= at < len(found):
            scans, unique = wanted(row)
            found[at][0] += scans
            found[at][1] += unique
    return [Bucket(period.local(edge), *counted) for edge, counted in zip(edges, found, strict=False)]


def _sums(edges: Iterable[int], days: Iterable[asyncpg.Record], wanted: Counter) -> Iterator[tuple[int, int]]:
    """Up to each edge, what was counted since the first of the days."""
    following = iter(days)
    day = next(following, None)
    sum_ = sum_unique = 0
    #: Of the day, and until which of its quarters.
    part = part_unique = until = 0
    for edge in edges:
        number, slot = divmod(edge, SLOTS)
        at = _date(number)
        while day is not None and day["day"] < at:
            scans, unique = wanted(day)
            sum_, sum_unique = sum_ + scans, sum_unique + unique
            day = next(following, None)
            part = part_unique = until = 0
        if slot and day is not None and day["day"] == at:
            scans, unique = wanted(slots_between(day["counts"], until, slot))
            part, part_unique, until = part + scans, part_unique + unique, slot
        yield sum_ + part, sum_unique + part_unique


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


def _groups(packed: list[list[bytes]], dimension: GroupBy, bots: Bots) -> list[Group]:
    """By one dimension. That of bots is by their names, which nobody else has."""
    at = DIMENSIONS.index(dimension)
    halves = [half for half in HALVES[bots] if half or dimension != "bot"]
    found, total = summed([line for half in halves for row in packed if (line := row[at + half])], MAX_GROUPS)
    counted = {orjson.loads(b'"' + key + b'"'): scans for key, scans in found.items()}
    counted.pop(OTHER, None)
    return largest({key or None: scans for key, scans in counted.items()}, total)
