"""What is counted of scans: with each batch, as rows of `scan_fresh`, and now and then added to the rollups.

A batch touches thousands of links, and each of them has three rows: of a quarter of an hour, a day and a month. To add
to all of these would cost more than the log itself; so what is fresh waits until there is more of it.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from fastcore.rows import packed_rows
from fastcore.sightings import Sightings
from fastcore.tally import Run
from server.storage.postgres.copying import EPOCH, copy, microseconds, moment
from server.storage.postgres.pool import Database
from server.storage.rollup import QUARTER_US, SLOTS, Counts, Row, joined, pack_slots

if TYPE_CHECKING:
    import asyncpg

    from server.storage.postgres.pool import Connection

# --- visitors -----------------------------------------------------------------------------------------------------

# Of days that are not remembered, and have scans.
REMEMBER = """
    WITH new AS (
        INSERT INTO scan_visitor_days (day, account_id)
        SELECT date '2000-01-01' + day, account_id FROM unnest($1::integer[], $2::bigint[]) AS given (day, account_id)
        ORDER BY 1, 2
        ON CONFLICT DO NOTHING RETURNING day, account_id
    )
    SELECT day, account_id FROM new WHERE EXISTS (
        SELECT FROM scan_days WHERE scan_days.account_id = new.account_id AND link_id = 0 AND scan_days.day = new.day
    ) OR EXISTS (
        SELECT FROM scan_fresh WHERE scan_fresh.account_id = new.account_id AND link_id = 0
            AND quarter >= new.day AND quarter < new.day + 1
    )
"""
# Rows of a version before may not say whose link it was.
OF_ACCOUNT = """
    (account_id = $2 OR account_id IS NULL AND $2 = coalesce((SELECT account_id FROM links WHERE id = link_id), 0))
"""
RECALL = f"""
    INSERT INTO scan_visitors (day, account_id, visitor, link_id)
    SELECT DISTINCT $1::date, $2::bigint, visitor, link_id FROM scans
    WHERE scanned_at >= $1::date AND scanned_at < $1::date + 1 AND visitor IS NOT NULL AND {OF_ACCOUNT}
    ON CONFLICT DO NOTHING
"""
RECALL_S = 600.0

# Adds those that have not scanned this link on this day; returns their places in the list, and the places of those who
# have scanned no link of the account. Nobody else adds any meanwhile. They come in the order of the index; and as
# texts, as arrays of numbers take the driver longer than all the rest.
SEE = """
    WITH seen AS MATERIALIZED (
        SELECT place, day, account_id, visitor, link_id,
            CASE WHEN NOT EXISTS (
                SELECT FROM scan_visitors AS before
                WHERE before.day = seen.day AND before.account_id = seen.account_id AND before.visitor = seen.visitor
            ) THEN 2 WHEN NOT EXISTS (
                SELECT FROM scan_visitors AS before
                WHERE before.day = seen.day AND before.account_id = seen.account_id AND before.visitor = seen.visitor
                    AND before.link_id = seen.link_id
            ) THEN 1 ELSE 0 END AS new
        FROM (
            SELECT date '2000-01-01' + day AS day, account_id, visitor, link_id, place
            FROM unnest($1::text::integer[], $2::text::bigint[], $3::text::bigint[], $4::text::bigint[])
                WITH ORDINALITY AS given (day, account_id, visitor, link_id, place)
        ) AS seen
    ), added AS (
        INSERT INTO scan_visitors (day, account_id, visitor, link_id)
        SELECT day, account_id, visitor, link_id FROM seen WHERE new > 0
    )
    SELECT
        coalesce(array_agg(place) FILTER (WHERE new > 0), '{}'),
        coalesce(array_agg(place) FILTER (WHERE new = 2), '{}')
    FROM seen
"""

# Scans of a day come late only after an outage; then it is remembered for a day more.
FORGET = """
    WITH old AS (
        SELECT day, account_id FROM scan_visitor_days
        WHERE day < current_date - 1 AND made_at < now() - interval '1 day' ORDER BY 1, 2 LIMIT 100
    ), visitors AS (
        DELETE FROM scan_visitors USING old
        WHERE scan_visitors.day = old.day AND scan_visitors.account_id = old.account_id
    ), days AS (
        DELETE FROM scan_visitor_days USING old
        WHERE scan_visitor_days.day = old.day AND scan_visitor_days.account_id = old.account_id
    )
    SELECT count(*) FROM old
"""
FORGET_S = 600.0

#: Whoever counts is alone with that, up to its commit: writers, and whoever counts a month anew.
COUNTING = "hashtext('count_scans')"
LOCK = f"SELECT pg_advisory_xact_lock({COUNTING})"
#: A month that is counted anew takes longer than anybody should hold on to a connection for.
PATIENCE = "SET LOCAL lock_timeout = '10s'"


def day_of(number: int) -> date:
    return (EPOCH + timedelta(days=number)).date()


async def see(connection: "Connection", sightings: Sightings) -> tuple[list[int], list[int]]:
    """The numbers of those that are the first of their visitor on the link, and of those that are on the account; from
    now on they have been seen. Days are numbers since 2000."""
    days, accounts = map(list, zip(*sightings.days(), strict=True))
    for day_of_account in await connection.fetch(REMEMBER, days, accounts):
        await connection.execute(RECALL, *day_of_account, timeout=RECALL_S)
    row = await connection.fetchrow(SEE, *sightings.columns)
    assert row is not None, "it has one row"
    return sightings.of_link(row[0]), sightings.of_account(row[1])


async def forget_visitors(database: Database) -> None:
    """Those of days whose scans have come."""
    while True:
        async with database.connection() as connection, connection.transaction():
            await connection.execute(LOCK)
            if not await connection.fetchval(FORGET, timeout=FORGET_S):
                return


# --- fresh rows ---------------------------------------------------------------------------------------------------

FRESH_COLUMNS = (
    *("account_id", "link_id", "id", "quarter", "people", "bots", "unique_people", "unique_bots"),
    *("last_scan_at", "last_bot_at", "groups"),
)


async def add_fresh(connection: "Connection", runs: Iterable[Run], first_id: int) -> None:
    """`first_id` is that of the scan which the runs call 0."""
    rows = (
        (
            *(run.account, run.link, first_id + run.number, run.quarter * QUARTER_US),
            *(run.people, run.bots, run.unique_people, run.unique_bots, run.last_scan_us, run.last_bot_us, run.groups),
        )
        for run in runs
    )
    await copy(connection, "scan_fresh", FRESH_COLUMNS, [packed_rows(rows)])


# --- rollups ------------------------------------------------------------------------------------------------------

#: Fresh rows that are added to the rollups at once: each time costs a commit, and some ten statements.
FOLD = 4_000

FOLDING = "hashtext('fold_scans')"
TRY_FOLD = f"SELECT pg_try_advisory_lock({FOLDING})"
FOLDED = f"SELECT pg_advisory_unlock({FOLDING})"

NEXT = f"SELECT {', '.join(FRESH_COLUMNS)} FROM scan_fresh ORDER BY account_id, link_id, id LIMIT {FOLD}"
DONE = "DELETE FROM scan_fresh WHERE (account_id, link_id, id) <= ($1, $2, $3)"

READ = """
    SELECT {table}.* FROM unnest($1::bigint[], $2::bigint[], $3::{type}[]) AS wanted (account_id, link_id, {start})
    JOIN {table} USING (account_id, link_id, {start})
"""
STORE = """
    INSERT INTO {table} (account_id, link_id, {start}, {columns})
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::{type}[], {types}) ORDER BY 1, 2, 3
    ON CONFLICT (account_id, link_id, {start}) DO UPDATE SET {set}
"""

#: Whose, and when it begins.
Key = tuple[int, int, date | datetime]


class Kind(NamedTuple):
    """A table of rollups."""

    table: str
    #: The column that says when a row begins, and its type.
    start: str
    type: str
    #: All others, and their types.
    columns: dict[str, str]

    def key(self, run: Run) -> Key:
        if self.start == "quarter":
            return run.account, run.link, moment(run.quarter * QUARTER_US)
        day = day_of(run.quarter // SLOTS)
        return run.account, run.link, day if self.start == "day" else day.replace(day=1)

    def row(self, record: "asyncpg.Record") -> Row:
        found = dict(record)
        return Row(
            found["groups"],
            counts=Counts(*(found[column] for column in Counts._fields)) if "people" in found else Counts(),
            slots=found.get("counts", b""),
            last_scan_us=_microseconds(found.get("last_scan_at")),
            last_bot_us=_microseconds(found.get("last_bot_at")),
        )

    def values(self, row: Row) -> list[object]:
        """Of `columns`."""
        every: dict[str, object] = {
            **row.counts._asdict(),
            "counts": pack_slots(row.slots) if "counts" in self.columns else None,
            "last_scan_at": _moment(row.last_scan_us),
            "last_bot_at": _moment(row.last_bot_us),
            "groups": row.groups,
        }
        return [every[column] for column in self.columns]

    async def read(self, connection: "Connection", keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows there are."""
        query = READ.format(table=self.table, start=self.start, type=self.type)
        found = await connection.fetch(query, *map(list, zip(*keys, strict=True)))
        return {(row["account_id"], row["link_id"], row[self.start]): self.row(row) for row in found}

    async def store(self, connection: "Connection", rows: dict[Key, Row]) -> None:
        query = STORE.format(
            table=self.table,
            start=self.start,
            type=self.type,
            columns=", ".join(self.columns),
            types=", ".join(f"${place}::{kind}[]" for place, kind in enumerate(self.columns.values(), start=4)),
            set=", ".join(f"{column} = excluded.{column}" for column in self.columns),
        )
        await connection.execute(
            query, *map(list, zip(*((*key, *self.values(rows[key])) for key in rows), strict=True))
        )


COUNTED = dict.fromkeys(Counts._fields, "bigint")
KINDS = (
    Kind("scan_quarters", "quarter", "timestamptz", {"groups": "bytea"}),
    Kind("scan_days", "day", "date", {**COUNTED, "counts": "bytea", "groups": "bytea"}),
    Kind(
        "scan_months",
        "month",
        "date",
        {**COUNTED, "last_scan_at": "timestamptz", "last_bot_at": "timestamptz", "groups": "bytea"},
    ),
)


async def fold(database: Database) -> bool:
    """Adds some of what is fresh to the rollups; False where nothing is left, or somebody else is at it."""
    async with database.connection() as connection:
        if not await connection.fetchval(TRY_FOLD):
            return False
        try:
            # What comes in meanwhile is not seen here, and not deleted.
            async with connection.transaction(isolation="repeatable_read"):
                fresh = await connection.fetch(NEXT)
                if fresh:
                    await _add(connection, [_run(row) for row in fresh])
                    await connection.execute(DONE, *fresh[-1][:3])
        finally:
            try:
                await connection.execute(FOLDED)
            except BaseException:
                connection.terminate()  # or it would keep the lock, for as long as the pool keeps it
                raise
    return len(fresh) == FOLD


async def _add(connection: "Connection", runs: list[Run]) -> None:
    """Adds runs, in the order of the log for each link, to their rows."""
    runs = [*joined(runs)]
    for kind in KINDS:
        keys = [kind.key(run) for run in runs]
        rows = await kind.read(connection, set(keys))
        for key, run in zip(keys, runs, strict=True):
            if key not in rows:
                rows[key] = Row()
            rows[key].add(run)
        await kind.store(connection, rows)


def _run(row: "asyncpg.Record") -> Run:
    run = Run(row["account_id"], row["link_id"], row["id"], microseconds(row["quarter"]) // QUARTER_US)
    run.people, run.bots, run.unique_people, run.unique_bots = row[4:8]
    run.last_scan_us, run.last_bot_us = _microseconds(row["last_scan_at"]), _microseconds(row["last_bot_at"])
    run.groups = row["groups"]
    return run


def _microseconds(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)


def _moment(time_us: int | None) -> datetime | None:
    return None if time_us is None else moment(time_us)
