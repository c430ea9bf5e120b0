"""Scans in the log, for whoever reads them."""

import asyncpg

from server.domain.errors import Busy
from server.domain.log import LogPage, Place, Wanted
from server.domain.model import AccountId, LinkId, RecordedScan, ScanId
from server.domain.stats import LATEST, Bots
from server.storage.postgres.pages import ABOVE_ALL
from server.storage.postgres.pool import Database

COLUMNS = """
    id, link_id, scanned_at, referrer, language, address::text, visitor, device, os, browser, from_code,
    browser_version, bot, referrer_host, network
"""
WITH_PLACE = f"{COLUMNS}, country, region, city"

LAST = "SELECT coalesce(max(last), 0) FROM scan_ids"

# Of scans of one time the number decides: their id or, where they have none, the place of their row, which is less than
# any id and stays, as rows of the log are never changed.
NUMBER = "coalesce(id, (ctid::text::point)[0]::bigint << 16 | (ctid::text::point)[1]::bigint)"
OF_LINK = f"""
    SELECT {WITH_PLACE}, {NUMBER} AS number FROM scans
    WHERE link_id = $1 AND scanned_at >= $2 AND scanned_at < $3
        AND coalesce(device = 'bot', false) IS DISTINCT FROM $4::boolean
        AND scanned_at <= $5 AND (scanned_at < $5 OR {NUMBER} < $6)
    ORDER BY scanned_at DESC, number DESC LIMIT $7
"""
#: Whether those that are not wanted are bots.
UNWANTED: dict[Bots, bool | None] = {"exclude": True, "include": None, "only": False}
BEFORE_ALL = Place(LATEST, ABOVE_ALL)

AFTER = f"SELECT {WITH_PLACE} FROM scans WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3"

INDEXED = "SELECT NOT EXISTS (SELECT FROM scans_without_index())"


class PostgresRecordedScans:
    """`RecordedScans`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._indexed = False

    async def last(self) -> ScanId:
        async with self._database.connection() as connection:
            return ScanId(await connection.fetchval(LAST))

    async def of_link(self, link: LinkId, wanted: Wanted, *, before: Place | None, limit: int) -> LogPage:
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                OF_LINK, link, wanted.start, wanted.end, UNWANTED[wanted.bots], *(before or BEFORE_ALL), limit + 1
            )
        places = [Place(row["scanned_at"], row["number"]) for row in rows[:limit]]
        return LogPage([_recorded(row) for row in rows[:limit]], places[-1] if len(rows) > limit else None)

    async def after(self, account: AccountId, scan: ScanId, *, limit: int) -> list[RecordedScan]:
        async with self._database.connection() as connection:
            self._indexed = self._indexed or await connection.fetchval(INDEXED)
            if not self._indexed:
                raise Busy("The log is being indexed, as it is once after an update. Try this again in some minutes.")
            return [_recorded(row) for row in await connection.fetch(AFTER, account, scan, limit)]


def _recorded(row: asyncpg.Record) -> RecordedScan:
    scan_id, link, *rest = list(row)[: len(RecordedScan._fields)]
    return RecordedScan(None if scan_id is None else ScanId(scan_id), LinkId(link), *rest)
