"""Counts of scans: from the rollups that the writer keeps, and what those do not have from the log."""

from server.domain.model import AccountId, LinkId
from server.domain.stats import MAX_GROUPS, Asked, Bots, Bucket, Group, GroupBy, Interval, Stats, Totals
from server.storage.postgres.pool import Database
from server.storage.postgres.recorded import UNWANTED

# Whose scans: a row of the log may be older than its column for the account.
OF_LINK = "link_id = $1"
OF_ACCOUNT = "link_id IN (SELECT id FROM links WHERE account_id = $1)"

#: Those that are wanted, in the rollups, and the log.
COUNTED: dict[Bots, str] = {"exclude": "scans", "include": "scans + bots", "only": "bots"}
WANTED = "coalesce(device = 'bot', false) IS DISTINCT FROM $2::boolean"

# Rollups have the last scan by a person only.
TOTALS = """
    SELECT
        (SELECT coalesce(sum({counted}), 0)::bigint FROM scan_totals WHERE {whose}) AS scans,
        (SELECT count(visitor) FROM (
            SELECT DISTINCT date_trunc('day', scanned_at), visitor FROM scans WHERE {whose} AND {wanted}
        ) AS visitors) AS unique_scans,
        greatest(
            (SELECT max(last_scan_at) FROM scan_totals WHERE {whose} AND $2::boolean IS DISTINCT FROM false),
            (SELECT max(scanned_at) FROM scans WHERE {whose} AND device = 'bot' AND $2::boolean IS DISTINCT FROM true)
        ) AS last_scan_at
"""

# Sessions are in UTC (pool.py), and so are the intervals.
FIRST = "date_trunc($5, $3::timestamptz)"
LAST = "date_trunc($5, $4::timestamptz - interval '1 microsecond')"
LENGTH = "('1 ' || $5)::interval"
WITHIN = f"{{at}} >= {FIRST} AND {{at}} < {LAST} + {LENGTH}"

# One row for every interval, also for those without a scan.
SERIES = f"""
    WITH counted AS (
        SELECT date_trunc($5, hour) AS start, sum({{counted}})::bigint AS scans
        FROM scan_hours WHERE {{whose}} AND {WITHIN.format(at="hour")} GROUP BY 1
    ), visited AS (
        SELECT date_trunc($5, at) AS start, count(visitor) AS unique_scans FROM (
            SELECT DISTINCT date_trunc($6, scanned_at) AS at, visitor
            FROM scans WHERE {{whose}} AND {{wanted}} AND {WITHIN.format(at="scanned_at")}
        ) AS visitors GROUP BY 1
    )
    SELECT start, coalesce(scans, 0) AS scans, coalesce(unique_scans, 0) AS unique_scans
    FROM generate_series({FIRST}, {LAST}, {LENGTH}) AS start
    LEFT JOIN counted USING (start) LEFT JOIN visited USING (start)
    ORDER BY start
"""

#: In which time a visitor counts once.
ONCE: dict[Interval, str] = {"hour": "hour", "day": "day", "week": "day", "month": "day"}

GROUPS = f"""
    SELECT key, scans, round(100 * scans / sum(scans) OVER (), 2)::float AS percentage FROM (
        SELECT {{key}} AS key, count(*) AS scans
        FROM scans WHERE {{whose}} AND {{wanted}} AND {WITHIN.format(at="scanned_at")} GROUP BY 1
    ) AS groups
    ORDER BY scans DESC, key COLLATE "C" LIMIT {MAX_GROUPS}
"""

# A city is told from others of its name by its country. A referrer's host is what stands between "//", or the user
# behind it, and a port, path or query (RFC 3986, 3.2).
KEYS: dict[GroupBy, str] = {
    "country": "country",
    "city": "coalesce(city || ', ' || country, city)",
    "device": "device",
    "os": "os",
    "browser": "browser",
    "referrer": r"lower(substring(referrer FROM '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(\[[^]/?#]*\]|[^:/?#]+)'))",
}


class PostgresStats:
    """`StatsStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_link(self, link: LinkId, asked: Asked) -> Stats:
        return await self._stats(OF_LINK, link, asked)

    async def of_account(self, account: AccountId, asked: Asked) -> Stats:
        return await self._stats(OF_ACCOUNT, account, asked)

    async def _stats(self, whose: str, number: int, asked: Asked) -> Stats:
        def query(text: str, key: str = "") -> str:
            return text.format(whose=whose, counted=COUNTED[asked.bots], wanted=WANTED, key=key)

        period = asked.period
        of = (number, UNWANTED[asked.bots])
        within = (*of, period.start, period.end, period.interval)
        groups = []
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            totals = await connection.fetchrow(query(TOTALS), *of)
            series = await connection.fetch(query(SERIES), *within, ONCE[period.interval])
            if asked.group_by is not None:
                groups = await connection.fetch(query(GROUPS, KEYS[asked.group_by]), *within)
        assert totals is not None, "it has one row"
        return Stats(
            asked=asked,
            totals=Totals(*totals),
            series=[Bucket(*row) for row in series],
            groups=[Group(*row) for row in groups],
        )
