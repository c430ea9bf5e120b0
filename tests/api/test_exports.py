"""A file of the log ends with its reader."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import pytest

from server.api.answers import Answers
from server.api.exports import PAGE_ROWS, scan_file
from server.domain.log import Wanted
from server.domain.model import AccountId, LinkId, Position, Scan
from server.storage.postgres.pool import Database
from server.storage.postgres.recorded import PostgresRecordedScans
from server.storage.postgres.scans import PostgresScanLog
from tests.support import DEADLINE_S, scan_us

pytestmark = pytest.mark.anyio

MINE = AccountId(1)
SEED = """
    INSERT INTO accounts VALUES (1, 'Test', now());
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
    VALUES (2, 1, 'menu', 'https://example.com/', now(), now())
"""

#: Queries of scans that somebody keeps waiting.
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM scans%'
"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    async with database.connection() as connection:
        await connection.execute(SEED)
    yield database
    await database.close()


async def test_who_goes_away_during_an_export_ends_its_query(database: Database, database_url: str) -> None:
    scan = Scan(LinkId(2), scan_us(datetime.now(UTC)), None, None, None, None, 7, "mobile", "iOS", None, True)
    prepared = await PostgresScanLog(database).prepare([scan] * (PAGE_ROWS + 1))
    assert await prepared.write("many", None, Position(1, 16))
    pages = partial(PostgresRecordedScans(database).of_account, MINE, Wanted())
    answers = Answers("http://qr.example", str)
    file = await scan_file("ndjson", pages, answers.scan)
    somebody, watching = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    gone = asyncio.Event()
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if not sent:
            await somebody.execute("BEGIN; LOCK TABLE scans")  # for which the query of the second page waits
        sent.append(message)

    async def wait_until(waiting: int) -> None:
        while await watching.fetchval(WAITING) != waiting:
            await asyncio.sleep(0.01)

    answering = asyncio.create_task(file({"type": "http"}, receive, send))
    try:
        async with asyncio.timeout(DEADLINE_S):
            await wait_until(1)
            gone.set()
            await answering
            await wait_until(0)
    finally:
        answering.cancel()
        await somebody.close()
        await watching.close()
    lines = b"".join(message.get("body", b"") for message in sent).count(b"\n")
    assert lines == PAGE_ROWS
    assert all(message["more_body"] for message in sent[1:])
