"""The scan log: rows, their counts, and the journals' positions, in one transaction."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from secrets import token_bytes

from server.domain.model import LinkId, Position, Scan
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

MAKE_MONTH = "SELECT make_scans_month($1)"


class PostgresScanLog:
    """`ScanLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._months: set[tuple[int, int]] = set()

    async def position(self, journal: str) -> Position | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(POSITION, journal)
        return None if row is None else Position(*row)

    async def write(self, journal: str, start: Position | None, end: Position, scans: list[Scan]) -> bool:
        await self._make_months(scans)
        async with self._database.transaction() as connection:
            if start is None:
                moved = await connection.fetchval(START, journal, *end)
            else:
                moved = await connection.fetchval(ADVANCE, journal, *end, *start)
            if moved is None:
                return False
            if scans:
                await connection.copy_records_to_table("scans", records=scans, columns=Scan._fields)
                await connection.execute(COUNT_HOURS, *_hours(scans))
                await connection.execute(COUNT_TOTALS, *_totals(scans))
            return True

    async def salt(self, day: date) -> bytes:
        async with self._database.transaction() as connection:
            await connection.execute(FORGET_SALTS)
            await connection.execute(MAKE_SALT, day, token_bytes(SALT_BYTES))
            salt: bytes = await connection.fetchval(SALT, day)
        return salt

    async def forget(self, journal: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(FORGET, journal)

    async def _make_months(self, scans: list[Scan]) -> None:
        """Makes the partitions these scans go to, and those of a month later, ahead of their first scan."""
        days = {scan.scanned_at.date() for scan in scans}
        days |= {day + timedelta(days=31) for day in days}
        for month in {(day.year, day.month) for day in days} - self._months:
            async with self._database.connection() as connection:
                first = datetime(*month, 1, tzinfo=UTC)
                await connection.execute(MAKE_MONTH, first)
            self._months.add(month)


def _hours(scans: list[Scan]) -> tuple[list[LinkId], list[datetime], list[int], list[int]]:
    """Links, hours, and how many scans and bots each link had in that hour."""
    counts: dict[bool, Counter[tuple[LinkId, datetime]]] = {False: Counter(), True: Counter()}
    for scan in scans:
        hour = scan.scanned_at.replace(minute=0, second=0, microsecond=0)
        counts[scan.device == "bot"][scan.link_id, hour] += 1
    people, bots = counts.values()
    keys = list({**people, **bots})
    links, hours = [link for link, _ in keys], [hour for _, hour in keys]
    return links, hours, [people[key] for key in keys], [bots[key] for key in keys]


def _totals(scans: list[Scan]) -> tuple[list[LinkId], list[int], list[int], list[datetime | None]]:
    """Links, how many scans and bots each had, and when its last scan was."""
    people: Counter[LinkId] = Counter()
    bots: Counter[LinkId] = Counter()
    last: dict[LinkId, datetime] = {}
    for scan in scans:
        link, at = scan.link_id, scan.scanned_at
        if scan.device == "bot":
            bots[link] += 1
        else:
            people[link] += 1
            last[link] = max(at, last.get(link, at))
    links = list({**people, **bots})
    return links, [people[link] for link in links], [bots[link] for link in links], [last.get(link) for link in links]
