"""Counts of scans, from the rollups that the writer keeps."""

from server.domain.model import LinkId
from server.domain.stats import Bucket, Period, Totals
from server.storage.postgres.pool import Database

TOTALS = "SELECT scans, last_scan_at FROM scan_totals WHERE link_id = $1"

# One row for every interval, also for those without a scan. Sessions are in UTC (pool.py), and so are the intervals.
SERIES = """
    SELECT bucket AS start, coalesce(sum(scans), 0)::bigint AS scans
    FROM generate_series(
        date_trunc($4, $2::timestamptz), $3::timestamptz - interval '1 microsecond', ('1 ' || $4)::interval
    ) AS bucket
    LEFT JOIN scan_hours ON link_id = $1 AND hour >= bucket AND hour < bucket + ('1 ' || $4)::interval
    GROUP BY bucket ORDER BY bucket
"""


class PostgresStats:
    """`StatsStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(self, link: LinkId) -> Totals:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(TOTALS, link)
        return Totals(0, None) if row is None else Totals(row["scans"], row["last_scan_at"])

    async def series(self, link: LinkId, period: Period) -> list[Bucket]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(SERIES, link, period.start, period.end, period.interval)
        return [Bucket(row["start"], row["scans"]) for row in rows]
