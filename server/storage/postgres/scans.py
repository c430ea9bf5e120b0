"""The scan log: rows, their counts, and the journals' positions, in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from secrets import token_bytes
from typing import TYPE_CHECKING

import asyncpg

from fastcore.tally import Run
from server.domain import ids
from server.domain.errors import StorageUnavailable
from server.domain.model import AccountId, LinkId, Position, Scan
from server.storage.postgres.copying import DAY_US, copy, moment
from server.storage.postgres.notify import SCANS, listed
from server.storage.postgres.pool import Database
from server.storage.postgres.rollups import LOCK, PATIENCE, add_fresh, day_of, fold, forget_visitors, see
from server.storage.rollup import ALL_LINKS, NO_ACCOUNT, batch

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

POSITION = 'SELECT segment, "offset" FROM journal_positions WHERE journal = $1'

# Two writers that stand at the same place cannot both go on: the second finds the row changed, or there.
START = """
    INSERT INTO journal_positions (journal, segment, "offset") VALUES ($1, $2, $3)
    ON CONFLICT (journal) DO NOTHING RETURNING journal
"""
ADVANCE = """
    UPDATE journal_positions SET segment = $2, "offset" = $3
    WHERE journal = $1 AND segment = $4 AND "offset" = $5 RETURNING journal
"""

FORGET = "DELETE FROM journal_positions WHERE journal = $1"

COUNT_TOTALS = """
    INSERT INTO scan_totals (link_id, scans, bots, last_scan_at)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[]) ORDER BY 1
    ON CONFLICT (link_id) DO UPDATE SET
        scans = scan_totals.scans + excluded.scans,
        bots = scan_totals.bots + excluded.bots,
        last_scan_at = greatest(scan_totals.last_scan_at, excluded.last_scan_at)
"""

# Whoever asks first on a day makes its salt. Scans of the day before may still be on their way, and those of an
# older day after an outage; then it has another one than when it was today.
MAKE_SALT = "INSERT INTO visitor_salts (day, salt) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING"
SALT = "SELECT salt FROM visitor_salts WHERE day = $1"
FORGET_SALTS = "DELETE FROM visitor_salts WHERE made_at < now() - interval '2 days' AND day > '-infinity'"
SALT_BYTES = 32

#: The first two are the database's to tell, and all others as `Scan` has them.
COLUMNS = ("id", "account_id", "link_id", "scanned_at", *Scan._fields[2:])

#: Scans that are prepared before others have their turn: half a millisecond, in which the database waits for rows.
SLICE = 200
#: Runs that are counted before others have theirs.
RUNS = 50

#: Links whose account is remembered.
MAX_KNOWN = 1 << 20

# So many ids as $1 says, of which the last is returned. Whoever comes next waits here until these are committed, which
# is why it comes when all other rows are locked. It tells of the accounts in $2.
IDS = f"""
    INSERT INTO scan_ids (last)
    VALUES (((extract(epoch FROM clock_timestamp() - '{ids.EPOCH}') * 1000)::bigint << {ids.RANDOM_BITS}) + $1)
    ON CONFLICT (one) DO UPDATE SET last = greatest(scan_ids.last + $1, excluded.last)
    RETURNING last, pg_notify('{SCANS}', $2)
"""

ACCOUNTS = "SELECT id, account_id FROM links WHERE id = ANY($1)"

MAKE_MONTH = "SELECT make_scans_month($1)"
DROP_OLD = "SELECT drop_old_scans($1)"


class Prepared:
    """`PreparedScans`: all but what only the database can tell, their ids, and which are a visitor's first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batch = batch()

    def add(self, scans: list[Scan], accounts: dict[LinkId, AccountId]) -> None:
        """Those that come next in the order of the log. `accounts` are those of links; one that is gone has none."""
        self._batch.add(scans, accounts)

    async def close(self) -> None:
        """No more come."""
        batch = self._batch
        for tally in (batch.of_links, batch.of_accounts):
            while tally.settle(RUNS):  # noqa: ASYNC110 -- nobody is waited for: others have their turn
                await asyncio.sleep(0)
        of_links = [run for run in batch.of_links.close() if run.link != ALL_LINKS]  # whatever a journal may say
        self._totals = _totals(of_links)
        self._runs = of_links + batch.of_accounts.close()
        batch.sightings.close()
        batch.close()

    async def write(self, journal: str, start: Position | None, end: Position) -> bool:
        try:
            async with self._database.transaction() as connection:
                await connection.execute(PATIENCE)
                await connection.execute(LOCK)
                if start is None:
                    moved = await connection.fetchval(START, journal, *end)
                else:
                    moved = await connection.fetchval(ADVANCE, journal, *end, *start)
                if moved is None:
                    return False
                if self._batch.count:
                    await self._add(connection)
                return True
        except asyncpg.LockNotAvailableError as exc:  # a month is counted anew
            raise StorageUnavailable from exc

    async def _add(self, connection: "Connection") -> None:
        batch = self._batch
        of_link, of_account = await see(connection, batch.sightings)
        batch.of_links.add_firsts(of_link)
        batch.of_accounts.add_firsts(of_account)
        await connection.execute(COUNT_TOTALS, *self._totals)
        accounts = {AccountId(run.account) for run in self._runs} - {NO_ACCOUNT}
        last = await connection.fetchval(IDS, batch.count, listed(accounts))
        first = last - batch.count + 1
        await add_fresh(connection, self._runs, first)
        await copy(connection, "scans", COLUMNS, batch.rows(first))


class PostgresScanLog:
    """`ScanLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._months: set[tuple[int, int]] = set()
        #: Of links that were scanned: a link never changes its account.
        self._accounts: dict[LinkId, AccountId] = {}

    async def position(self, journal: str) -> Position | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(POSITION, journal)
        return None if row is None else Position(*row)

    async def prepare(self, scans: Iterable[Scan]) -> Prepared:
        if len(self._accounts) > MAX_KNOWN:
            self._accounts = {}
        prepared, left, asked = Prepared(self._database), iter(scans), set[LinkId]()
        while some := [*islice(left, SLICE)]:
            await self._make_months(some)
            links = {scan.link_id for scan in some} - asked
            asked |= links
            await self._learn_accounts(links)
            prepared.add(some, self._accounts)
            await asyncio.sleep(0)
        await prepared.close()
        return prepared

    async def fold(self) -> None:
        while await fold(self._database):
            pass

    async def _learn_accounts(self, links: set[LinkId]) -> None:
        """Whose these links are. One that is gone has none, and its scans are kept all the same."""
        if new := [link for link in links if link not in self._accounts]:
            async with self._database.connection() as connection:
                self._accounts |= dict(map(tuple, await connection.fetch(ACCOUNTS, new)))

    async def salt(self, day: date) -> bytes:
        async with self._database.transaction() as connection:
            await connection.execute(FORGET_SALTS)
            await connection.execute(MAKE_SALT, day, token_bytes(SALT_BYTES))
            salt: bytes = await connection.fetchval(SALT, day)
        return salt

    async def forget(self, journal: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(FORGET, journal)

    async def retire(self, days: int) -> list[str]:
        await forget_visitors(self._database)
        try:
            async with self._database.connection() as connection:
                await connection.execute(FORGET_SALTS)
                if not days:
                    return []
                return [row[0] for row in await connection.fetch(DROP_OLD, days)]
        except asyncpg.LockNotAvailableError as exc:
            raise StorageUnavailable from exc

    async def _make_months(self, scans: list[Scan]) -> None:
        """Makes the partitions these scans go to, and those of a month later, ahead of their first scan."""
        days = {day_of(number) for number in {scan.time_us // DAY_US for scan in scans}}
        days |= {day + timedelta(days=31) for day in days}
        for month in {(day.year, day.month) for day in days} - self._months:
            async with self._database.connection() as connection:
                first = datetime(*month, 1, tzinfo=UTC)
                await connection.execute(MAKE_MONTH, first)
            self._months.add(month)


def _totals(runs: list[Run]) -> tuple[list[LinkId], list[int], list[int], list[datetime | None]]:
    """Links, how many scans and bots each had, and when its last scan was."""
    people, bots, last = Counter[LinkId](), Counter[LinkId](), dict[LinkId, int]()
    for run in runs:
        link = LinkId(run.link)
        people[link] += run.people
        bots[link] += run.bots
        if run.last_scan_us is not None:
            last[link] = max(run.last_scan_us, last.get(link, run.last_scan_us))
    times = [moment(last[link]) if link in last else None for link in people]
    return list(people), list(people.values()), list(bots.values()), times
