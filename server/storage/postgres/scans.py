"""The scan log: rows, their counts, and the journals' positions, in one transaction."""

from collections import Counter
from datetime import UTC, datetime, timedelta

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
    INSERT INTO scan_hours (link_id, hour, scans)
    SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[]) ORDER BY 1, 2
    ON CONFLICT (link_id, hour) DO UPDATE SET scans = scan_hours.scans + excluded.scans
"""
COUNT_TOTALS = """
    INSERT INTO scan_totals (link_id, scans, last_scan_at)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) ORDER BY 1
    ON CONFLICT (link_id) DO UPDATE SET
        scans = scan_totals.scans + excluded.scans,
        last_scan_at = greatest(scan_totals.last_scan_at, excluded.last_scan_at)
"""

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
        hours: Counter[tuple[LinkId, datetime]] = Counter()
        totals: Counter[LinkId] = Counter()
        last: dict[LinkId, datetime] = {}
        for link, at, *_ in scans:
            hours[link, at.replace(minute=0, second=0, microsecond=0)] += 1
            totals[link] += 1
            last[link] = max(at, last.get(link, at))
        async with self._database.transaction() as connection:
            if start is None:
                moved = await connection.fetchval(START, journal, *end)
            else:
                moved = await connection.fetchval(ADVANCE, journal, *end, *start)
            if moved is None:
                return False
            if scans:
                await connection.copy_records_to_table("scans", records=scans, columns=Scan._fields)
                await connection.execute(
                    COUNT_HOURS,
                    [link for link, _ in hours],
                    [hour for _, hour in hours],
                    list(hours.values()),
                )
                await connection.execute(
                    COUNT_TOTALS, list(totals), list(totals.values()), [last[link] for link in totals]
                )
            return True

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
