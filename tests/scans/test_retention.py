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
from tests.support import DEADLINE_S, nowhere, scan_us

pytestmark = pytest.mark.anyio

#: How many there are.
SCANS = 4

NOBODY = Visitors(trusted=(), keep="none", salting="daily")


def scanned(at: datetime) -> Scan:
    return Scan(LinkId(1), scan_us(at), None, None, None, None, 0, "mobile", None, None, False)


@pytest.fixture
def moments() -> list[datetime]:
    """A scan now, in the last moment of the month before that of yesterday, and long ago."""
    now = datetime.now(UTC)
    month = (now - timedelta(days=1)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return [now, month - timedelta(seconds=1), now - timedelta(days=100), datetime(2020, 2, 29, tzinfo=UTC)]


@pytest.fixture
async def log(database_url: str, moments: list[datetime]) -> AsyncIterator[PostgresScanLog]:
    database = Database(database_url, max_connections=3)
    await database.open()
    log = PostgresScanLog(database)
    assert await (await log.prepare([scanned(at) for at in moments])).write("journal", None, Position(1, 16))
    await log.fold()
    yield log
    await database.close()


async def left(url: str) -> list[datetime]:
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT scans FROM scan_totals") == SCANS
        for table in ("scan_days", "scan_months"):
            people = f"SELECT sum(people) FROM (SELECT * FROM {table} WHERE link_id = 1) AS counted"
            assert await connection.fetchval(people) == SCANS
        return [row[0] for row in await connection.fetch("SELECT scanned_at FROM scans ORDER BY 1 DESC")]
    finally:
        await connection.close()


async def test_months_go_of_which_every_scan_is_too_old(
    log: PostgresScanLog, moments: list[datetime], database_url: str
) -> None:
    dropped = await log.retire(60)
    assert {"scans_2020_02", f"scans_{moments[2]:%Y_%m}"} <= set(dropped)
    assert await left(database_url) == moments[:2]
    assert await log.retire(60) == []


async def test_a_month_stays_whole_until_its_last_scan_is_too_old(
    log: PostgresScanLog, moments: list[datetime], database_url: str
) -> None:
    age = (moments[0].date() - moments[1].date()).days - 1
    await log.retire(age + 1)
    assert await left(database_url) == moments[:2]
    await log.retire(age)
    assert await left(database_url) == moments[:1]


async def test_what_no_month_holds_goes_as_well(
    log: PostgresScanLog, moments: list[datetime], database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP TABLE scans_2020_02")
    await connection.close()
    # The log believes that the month is still there, as after another server has dropped it.
    assert await (await log.prepare([scanned(moments[3])])).write("other", None, Position(1, 16))
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM scans_default") == 1
    await log.retire(60)
    assert await connection.fetchval("SELECT count(*) FROM scans_default") == 0
    await connection.close()


async def test_whoever_reads_is_waited_for_but_not_for_long(
    log: PostgresScanLog, moments: list[datetime], database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE scans IN ACCESS SHARE MODE")
        with pytest.raises(StorageUnavailable):
            await log.retire(60)
    await connection.close()
    assert await left(database_url) == moments
    assert await log.retire(60) != []


async def test_the_writer_drops_them_when_it_has_nothing_to_write(
    log: PostgresScanLog, moments: list[datetime], database_url: str, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(Writer(tmp_path, log, NOBODY, nowhere, retention_days=60).run(stop))
    async with asyncio.timeout(DEADLINE_S):
        while await left(database_url) != moments[:2]:
            await asyncio.sleep(0.02)
    stop.set()
    await running


async def test_without_a_limit_nothing_is_dropped(
    log: PostgresScanLog, moments: list[datetime], database_url: str, tmp_path: Path
) -> None:
    await Writer(tmp_path, log, NOBODY, nowhere).retire()
    assert await left(database_url) == moments
