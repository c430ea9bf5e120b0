"""Scans in the log, for whoever reads them."""

import asyncpg

from server.domain.errors import Busy
from server.domain.model import AccountId, LinkId, RecordedScan, ScanId
from server.storage.postgres.pool import Database

COLUMNS = "id, link_id, scanned_at, referrer, language, address::text, visitor, device, os, browser, from_code"

LAST = "SELECT coalesce(max(last), 0) FROM scan_ids"

AFTER = f"SELECT {COLUMNS} FROM scans WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3"

INDEXED = "SELECT NOT EXISTS (SELECT FROM scans_without_index())"


class PostgresRecordedScans:
    """`RecordedScans`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._indexed = False

    async def last(self) -> ScanId:
        async with self._database.connection() as connection:
            return ScanId(await connection.fetchval(LAST))

    async def after(self, account: AccountId, scan: ScanId, *, limit: int) -> list[RecordedScan]:
        async with self._database.connection() as connection:
            self._indexed = self._indexed or await connection.fetchval(INDEXED)
            if not self._indexed:
                raise Busy("The log is being indexed, as it is once after an update. Try this again in some minutes.")
            return [_recorded(row) for row in await connection.fetch(AFTER, account, scan, limit)]


def _recorded(row: asyncpg.Record) -> RecordedScan:
    scan_id, link, *rest = row
    return RecordedScan(None if scan_id is None else ScanId(scan_id), LinkId(link), *rest)
