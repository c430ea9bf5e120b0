"""The scan log: rows, their counts, and the journals' positions, in one transaction."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from secrets import token_bytes

import asyncpg

from server.domain import ids
from server.domain.errors import StorageUnavailable
from server.domain.model import AccountId, LinkId, Position, Scan
from server.storage.postgres.copying import COLUMNS, DAY_US, HOUR_US, microseconds, moment, numbered, rows
from server.storage.postgres.notify import SCANS, listed
from server.storage.postgres.pool import Database

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

# Rows are touched in the order of their keys, so that the writers of two machines cannot deadlock.
COUNT_HOURS = """
    INSERT INTO scan_hours (link_id, hour, scans, bots)
    SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[]) ORDER BY 1, 2
    ON CONFLICT (link_id, hour) DO UPDATE SET
        scans = scan_hours.scans + excluded.scans,
        bots = scan_hours.bots + excluded.bots
"""
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

    async def write(self, journal: str, start: Position | None, end: Position, scans: list[Scan]) -> bool:
        times_us = [microseconds(scan.scanned_at) for scan in scans]
        await self._make_months(times_us)
        accounts = await self._accounts_of({scan.link_id for scan in scans})
        data, hours, totals = rows(scans, times_us, accounts), _hours(scans, times_us), _totals(scans, times_us)
        whom = listed(set(accounts.values()))
        async with self._database.transaction() as connection:
            if start is None:
                moved = await connection.fetchval(START, journal, *end)
            else:
                moved = await connection.fetchval(ADVANCE, journal, *end, *start)
            if moved is None:
                return False
            if scans:
                await connection.execute(COUNT_HOURS, *hours)
                await connection.execute(COUNT_TOTALS, *totals)
                last = await connection.fetchval(IDS, len(scans), whom)
                source = BytesIO(numbered(data, last - len(scans) + 1))
                await connection.copy_to_table("scans", source=source, columns=COLUMNS, format="binary")
            return True

    async def _accounts_of(self, links: set[LinkId]) -> dict[LinkId, AccountId]:
        """Whose these links are. One that is gone has none, and its scans are kept all the same."""
        if new := links - self._accounts.keys():
            if len(self._accounts) > MAX_KNOWN:
                self._accounts = {}
                new = links
            async with self._database.connection() as connection:
                self._accounts |= dict(map(tuple, await connection.fetch(ACCOUNTS, list(new))))
        return {link: self._accounts[link] for link in links if link in self._accounts}

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
        try:
            async with self._database.connection() as connection:
                await connection.execute(FORGET_SALTS)
                if not days:
                    return []
                return [row[0] for row in await connection.fetch(DROP_OLD, days)]
        except asyncpg.LockNotAvailableError as exc:
            raise StorageUnavailable from exc

    async def _make_months(self, times_us: list[int]) -> None:
        """Makes the partitions these scans go to, and those of a month later, ahead of their first scan."""
        days = {moment(number * DAY_US).date() for number in {time_us // DAY_US for time_us in times_us}}
        days |= {day + timedelta(days=31) for day in days}
        for month in {(day.year, day.month) for day in days} - self._months:
            async with self._database.connection() as connection:
                first = datetime(*month, 1, tzinfo=UTC)
                await connection.execute(MAKE_MONTH, first)
            self._months.add(month)


def _hours(scans: list[Scan], times_us: list[int]) -> tuple[list[LinkId], list[datetime], list[int], list[int]]:
    """Links, hours, and how many scans and bots each link had in that hour."""
    keys = [(scan.link_id, time_us // HOUR_US) for scan, time_us in zip(scans, times_us, strict=True)]
    bots = Counter([key for key, scan in zip(keys, scans, strict=True) if scan.device == "bot"])
    everyone = Counter(keys)
    return (
        [link for link, _ in everyone],
        [moment(hour * HOUR_US) for _, hour in everyone],
        [count - bots[key] for key, count in everyone.items()],
        [bots[key] for key in everyone],
    )


def _totals(scans: list[Scan], times_us: list[int]) -> tuple[list[LinkId], list[int], list[int], list[datetime | None]]:
    """Links, how many scans and bots each had, and when its last scan was."""
    everyone = Counter([scan.link_id for scan in scans])
    bots = Counter([scan.link_id for scan in scans if scan.device == "bot"])
    last: dict[LinkId, int] = {}
    for scan, time_us in zip(scans, times_us, strict=True):
        if scan.device != "bot" and time_us >= last.get(scan.link_id, time_us):
            last[scan.link_id] = time_us
    return (
        list(everyone),
        [count - bots[link] for link, count in everyone.items()],
        [bots[link] for link in everyone],
        [moment(last[link]) if link in last else None for link in everyone],
    )
