"""Every scan comes into the database exactly once, whatever dies in between."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.domain.errors import StorageUnavailable
from server.domain.model import Position, Scan
from server.scans.journal import MIN_SEGMENT_BYTES, Journal
from server.scans.writer import Writer
from server.storage.postgres.pool import Database
from server.storage.postgres.scans import PostgresScanLog
from tests.support import eventually

pytestmark = pytest.mark.anyio

HEADERS = [(b"user-agent", b"Mozilla/5.0")]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, max_connections=3)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, max_bytes=1 << 20, sync_s=1, segment_bytes=MIN_SEGMENT_BYTES)


def scan(journal: Journal, *numbers: int) -> None:
    for number in numbers:
        journal.append(number.to_bytes(8, "little"), HEADERS)


async def rows(database: Database) -> list[int]:
    """The link ids of all scans, and a check that what is counted from them agrees."""
    async with database.connection() as connection:
        links = [row[0] for row in await connection.fetch("SELECT link_id FROM scans ORDER BY link_id")]
        hours = await connection.fetchval("SELECT coalesce(sum(scans), 0) FROM scan_hours")
        totals = await connection.fetchval("SELECT coalesce(sum(scans), 0) FROM scan_totals")
    assert hours == totals == len(links)
    return links


async def drained(writer: Writer) -> None:
    while await writer.drain():
        pass


class Failing(PostgresScanLog):
    """Fails the next write, before or after it has been committed."""

    fail: str | None = None

    async def write(self, journal: str, start: Position | None, end: Position, scans: list[Scan]) -> bool:
        if self.fail == "before":
            self.fail = None
            raise StorageUnavailable
        written = await super().write(journal, start, end, scans)
        if self.fail == "after":
            self.fail = None
            raise StorageUnavailable
        return written


async def test_scans_come_into_the_database(database: Database, journal: Journal, tmp_path: Path) -> None:
    scan(journal, *range(300))
    await drained(Writer(tmp_path, PostgresScanLog(database)))
    assert await rows(database) == list(range(300))
    journal.close()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_write_that_fails_or_only_seems_to_is_neither_lost_nor_doubled(
    database: Database, journal: Journal, tmp_path: Path, moment: str
) -> None:
    log = Failing(database)
    writer = Writer(tmp_path, log)
    scan(journal, 1, 2)
    await drained(writer)
    scan(journal, 3, 4)
    log.fail = moment
    with pytest.raises(StorageUnavailable):
        await writer.drain()
    scan(journal, 5)
    await drained(writer)
    assert await rows(database) == [1, 2, 3, 4, 5]
    journal.close()


async def test_a_new_writer_goes_on_where_the_last_one_died(
    database: Database, journal: Journal, tmp_path: Path
) -> None:
    scan(journal, *range(100))
    await drained(Writer(tmp_path, PostgresScanLog(database)))
    scan(journal, *range(100, 500))
    await drained(Writer(tmp_path, PostgresScanLog(database)))
    assert await rows(database) == list(range(500))
    journal.close()


async def test_two_writers_at_once_write_each_scan_once(database: Database, journal: Journal, tmp_path: Path) -> None:
    writers = [Writer(tmp_path, PostgresScanLog(database)) for _ in range(2)]
    for first in range(0, 200, 10):
        scan(journal, *range(first, first + 10))
        await asyncio.gather(*(writer.drain() for writer in writers))
    for writer in writers:
        await drained(writer)
    assert await rows(database) == list(range(200))
    journal.close()


async def test_the_journal_of_a_process_that_is_gone_is_written_and_removed(
    database: Database, journal: Journal, tmp_path: Path
) -> None:
    scan(journal, 1, 2, 3)
    journal.close()
    await drained(Writer(tmp_path, PostgresScanLog(database)))
    assert await rows(database) == [1, 2, 3]
    assert list(tmp_path.iterdir()) == []
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM journal_positions") == 0


async def test_a_scan_lands_in_its_own_hour_and_month(database: Database, journal: Journal, tmp_path: Path) -> None:
    scan(journal, 9)
    await drained(Writer(tmp_path, PostgresScanLog(database)))
    async with database.connection() as connection:
        at = await connection.fetchval("SELECT scanned_at FROM scans")
        hour = await connection.fetchval("SELECT hour FROM scan_hours")
        part = await connection.fetchval("SELECT tableoid::regclass::text FROM scans")
        parts = await connection.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'scans'::regclass")
    assert hour == at.replace(minute=0, second=0, microsecond=0)
    assert part == f"scans_{at:%Y_%m}"
    assert parts == 3  # this month, the next one, and the default
    journal.close()


async def test_a_running_writer_writes_the_last_scans_before_it_stops(
    database: Database, journal: Journal, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(Writer(tmp_path, PostgresScanLog(database)).run(stop))
    await eventually((tmp_path / "writer.lock").exists, what="a writer")
    scan(journal, 1, 2, 3)
    journal.close()
    stop.set()
    await running
    assert await rows(database) == [1, 2, 3]
