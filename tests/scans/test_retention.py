"""Old scans go by whole months, and what was counted of them stays."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from server.domain.errors import StorageUnavailable
from server.domain.model import LinkId, Position, Scan
from server.scans.visitor import Visitors
from server.scans.writer import Writer
from server.storage.postgres.pool import Database
from server.storage.postgres.scans import PostgresScanLog
from tests.support import DEADLINE_S, nowhere

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
THIS_MONTH = NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
#: A scan now, in the last moment of the month before, and long ago.
MOMENTS = [NOW, THIS_MONTH - timedelta(seconds=1), NOW - timedelta(days=100), datetime(2020, 2, 29, tzinfo=UTC)]


NOBODY = Visitors(trusted=(), keep="none", salting="daily")


def scanned(at: datetime) -> Scan:
    return Scan(LinkId(1), at, None, None, None, None, 0, "mobile", None, None, False)


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[PostgresScanLog]:
    database = Database(database_url, max_connections=3)
    await database.open()
    log = PostgresScanLog(database)
    assert await (await log.prepare([scanned(at) for at in MOMENTS])).write("journal", None, Position(1, 16))
    await log.fold()
    yield log
    await database.close()


async def left(url: str) -> list[datetime]:
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT scans FROM scan_totals") == len(MOMENTS)
        for table in ("scan_days", "scan_months"):
            people = f"SELECT sum(people) FROM (SELECT * FROM {table} WHERE link_id = 1) AS counted"
            assert await connection.fetchval(people) == len(MOMENTS)
        return [row[0] for row in await connection.fetch("SELECT scanned_at FROM scans ORDER BY 1 DESC")]
    finally:
        await connection.close()


async def test_months_go_of_which_every_scan_is_too_old(log: PostgresScanLog, database_url: str) -> None:
    dropped = await log.retire(60)
    assert {"scans_2020_02", f"scans_{MOMENTS[2]:%Y_%m}"} <= set(dropped)
    assert await left(database_url) == MOMENTS[:2]
    assert await log.retire(60) == []


async def test_a_month_stays_whole_until_its_last_scan_is_too_old(log: PostgresScanLog, database_url: str) -> None:
    age = (NOW - THIS_MONTH).days
    await log.retire(age + 1)
    assert await left(database_url) == MOMENTS[:2]
    await log.retire(age)
    assert await left(database_url) == MOMENTS[:1]


async def test_what_no_month_holds_goes_as_well(log: PostgresScanLog, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP TABLE scans_2020_02")
    await connection.close()
    # The log believes that the month is still there, as after another server has dropped it.
    assert await (await log.prepare([scanned(MOMENTS[3])])).write("other", None, Position(1, 16))
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM scans_default") == 1
    await log.retire(60)
    assert await connection.fetchval("SELECT count(*) FROM scans_default") == 0
    await connection.close()


async def test_whoever_reads_is_waited_for_but_not_for_long(log: PostgresScanLog, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE scans IN ACCESS SHARE MODE")
        with pytest.raises(StorageUnavailable):
            await log.retire(60)
    await connection.close()
    assert await left(database_url) == MOMENTS
    assert await log.retire(60) != []


async def test_the_writer_drops_them_when_it_has_nothing_to_write(
    log: PostgresScanLog, database_url: str, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(Writer(tmp_path, log, NOBODY, nowhere, retention_days=60).run(stop))
    async with asyncio.timeout(DEADLINE_S):
        while await left(database_url) != MOMENTS[:2]:
            await asyncio.sleep(0.02)
    stop.set()
    await running


async def test_without_a_limit_nothing_is_dropped(log: PostgresScanLog, database_url: str, tmp_path: Path) -> None:
    await Writer(tmp_path, log, NOBODY, nowhere).retire()
    assert await left(database_url) == MOMENTS
