"""Counts of scans, from the rollups that the writer keeps; never from the log.

A period of whole intervals begins and ends with a quarter of an hour. Its series is made of the days that it touches,
which have counts by the quarter. Its groups are those of the whole months in it, of the whole days beside these, and of
the quarters beside those. What was counted in the last seconds is not in these rows yet, but next to them
(`scan_fresh`).
"""

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable
from datetime import date, timedelta
from functools import partial
from itertools import groupby, repeat
from operator import itemgetter
from typing import NamedTuple

import asyncpg
import orjson

from fastcore.sums import series, summed
from server.domain.model import AccountId, LinkId
from server.domain.stats import (
    EARLIEST,
    MAX_GROUPS,
    QUARTER,
    QUARTER_S,
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
from server.storage.rollup import ALL_LINKS, DIMENSIONS, OTHER, SLOT_BYTES, SLOTS, Counts

WHOSE = "account_id = $1 AND link_id = $2"

# Of a day's counts, $7 quarters from the one numbered $6 on, where it counts in all: the days of busy links (ADR 20).
SOME_COUNTS = "substr(counts, 1 + $6::integer, $7::integer)" + "".join(
    f" || substr(counts, {1 + SLOTS + 4 * SLOTS * column} + 4 * $6, 4 * $7)" for column in range(len(Counts._fields))
)

# What a row is of: a fresh one, a month, a day, or a piece of the period. One statement, so that all are of one moment.
# Counts by the quarter are of those days alone in which an interval begins or ends; $5 is null where all of them are.
COUNTED = f"""
    SELECT people, bots, unique_people, unique_bots, (extract(epoch FROM quarter) / {QUARTER_S})::integer AS number,
        NULL::bytea AS counts, groups, last_scan_at, last_bot_at, 'fresh' AS part
    FROM scan_fresh WHERE {WHOSE}
    UNION ALL
    SELECT people, bots, unique_people, unique_bots, NULL, NULL, NULL, last_scan_at, last_bot_at, 'month'
    FROM scan_months WHERE {WHOSE}
    UNION ALL
    SELECT people, bots, unique_people, unique_bots, day - date '{EARLIEST.date()}',
        CASE
            WHEN NOT ($5::date[] IS NULL OR day IN (SELECT unnest($5))) THEN NULL
            WHEN $7 < {SLOTS} AND length(counts) = {SLOTS * SLOT_BYTES} THEN {SOME_COUNTS}
            ELSE counts
        END, NULL, NULL, NULL, 'day'
    FROM scan_days WHERE {WHOSE} AND day >= $3 AND day <= $4
"""
PIECE = "UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, groups, NULL, NULL, 'piece' FROM"
COUNTED_AND_GROUPED = f"""{COUNTED}
    {PIECE} scan_months WHERE {WHOSE} AND month >= $8 AND month < $9
    {PIECE} scan_days WHERE {WHOSE} AND day >= $10 AND day < $8
    {PIECE} scan_days WHERE {WHOSE} AND day >= $9 AND day < $11
    {PIECE} scan_quarters WHERE {WHOSE} AND quarter >= $12 AND quarter < $13
    {PIECE} scan_quarters WHERE {WHOSE} AND quarter >= $14 AND quarter < $15
"""

FIRST_DAY = EARLIEST.toordinal()

#: Of a row's counts, and of the halves of its groups: whose they are.
PEOPLE, PROGRAMS = 0, 1
#: Of the columns.
FIRST_UNIQUE = 2
NUMBER, PART = 4, 9
WANTED: dict[Bots, tuple[int, ...]] = {"exclude": (PEOPLE,), "include": (PEOPLE, PROGRAMS), "only": (PROGRAMS,)}
#: Which of them say when the last one was.
LAST: dict[Bots, tuple[str, ...]] = {
    "exclude": ("last_scan_at",),
    "include": ("last_scan_at", "last_bot_at"),
    "only": ("last_bot_at",),
}
#: Bytes of groups that a thread adds up, so that redirects need not wait for them: some 0.3 ms.
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
        query = COUNTED
        cut = _cut(edges)
        parameters: list[object] = [_date(first // SLOTS), _date(end // SLOTS), cut.days, cut.first, cut.quarters]
        if asked.group_by:
            query = COUNTED_AND_GROUPED
            parameters += _pieces(first, end)
        async with self._database.connection() as connection:
            rows = await connection.fetch(query, account, link, *parameters)
        parts: dict[str, list[asyncpg.Record]] = {"fresh": [], "month": [], "day": [], "piece": []}
        for part, found in groupby(rows, itemgetter(PART)):
            parts[part] += found
        fresh, days = parts["fresh"], sorted(parts["day"], key=itemgetter(NUMBER))
        pieces = parts["piece"] + [row for row in fresh if first <= row[NUMBER] < end]
        groups = _groups([row["groups"] for row in pieces], asked)
        return Stats(
            asked=asked,
            totals=_totals(parts["month"] + fresh, asked.bots),
            series=_series(asked.period, edges, days, fresh, WANTED[asked.bots], late=cut.first > 0),
            groups=await groups,
        )


def _date(day: int) -> date:
    """Of a day, counted from the first of all."""
    return date.fromordinal(FIRST_DAY + day)


class _Cut(NamedTuple):
    """What has to be known of days by the quarter."""

    #: Those within which there is an edge; None where there is in each but the first.
    days: list[date] | None
    #: The quarters in them before any edge, or behind any, whichever are fewer: what the others are, the day says.
    first: int
    quarters: int


def _cut(edges: list[int]) -> _Cut:
    within = [edge for edge in edges if edge % SLOTS]
    days = {edge // SLOTS for edge in within}
    slots = [edge % SLOTS for edge in within] or [0]
    late = SLOTS - min(slots) < max(slots)
    return _Cut(
        days=None if len(days) >= edges[-1] // SLOTS - edges[0] // SLOTS else [*map(_date, days)],
        first=min(slots) if late else 0,
        quarters=SLOTS - min(slots) if late else max(slots),
    )


def _totals(rows: list[asyncpg.Record], bots: Bots) -> Totals:
    counted = [_counts(row, WANTED[bots]) for row in rows]
    last = [row[name] for row in rows for name in LAST[bots] if row[name] is not None]
    return Totals(sum(scans for scans, _ in counted), sum(unique for _, unique in counted), max(last, default=None))


def _counts(row: asyncpg.Record, wanted: tuple[int, ...]) -> tuple[int, int]:
    """Of a row that begins with counts: how many scans of these are wanted, and how many unique ones."""
    return sum(row[whose] for whose in wanted), sum(row[FIRST_UNIQUE + whose] for whose in wanted)


# --- series -------------------------------------------------------------------------------------------------------


def _series(
    period: Period,
    edges: list[int],
    days: list[asyncpg.Record],
    fresh: list[asyncpg.Record],
    wanted: tuple[int, ...],
    *,
    late: bool,
) -> list[Bucket]:
    """What was counted between each edge and the next, and what is fresh."""
    scans, unique = found = series(edges, days, (wanted, [FIRST_UNIQUE + whose for whose in wanted]), late)
    for row in fresh:
        at = bisect_right(edges, row[NUMBER]) - 1
        if 0 <= at < len(scans):
            for counts, more in zip(found, _counts(row, wanted), strict=True):
                counts[at] += more
    # As `Bucket._make` makes them, but for its call, which would be most of it.
    return [*map(tuple.__new__, repeat(Bucket), zip(period.starts(edges[:-1]), scans, unique, strict=True))]


# --- groups -------------------------------------------------------------------------------------------------------


def _pieces(first: int, end: int) -> list[object]:
    """Where the months, days and quarters begin and end that a period is made of, as COUNTED_AND_GROUPED wants them."""
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


def _groups(rows: list[bytes], asked: Asked) -> Awaitable[dict[GroupBy, list[Group]]]:
    """By each dimension; begun at once. That of bots is by their names, which nobody else has."""
    wanted = [
        [DIMENSIONS.index(by) + whose * len(DIMENSIONS) for whose in WANTED[asked.bots] if by != "bot" or whose]
        for by in asked.group_by
    ]
    work = partial(summed, rows, wanted, MAX_GROUPS + 1)  # with OTHER
    elsewhere = sum(map(len, rows)) > LARGE
    sums = asyncio.get_running_loop().run_in_executor(None, work) if elsewhere else None

    async def groups() -> dict[GroupBy, list[Group]]:
        found = zip(asked.group_by, work() if sums is None else await sums, strict=True)
        return {by: largest(_named(counts), total) for by, (counts, total) in found}

    return groups()


def _named(found: dict[bytes, int]) -> dict[str | None, int]:
    """By keys as they were before they were written, but for OTHER, which is none."""
    named = {orjson.loads(b'"%b"' % key) or None: scans for key, scans in found.items()}
    named.pop(OTHER, None)
    return named
