"""Scan limits are exact, however many count at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.domain.errors import StorageUnavailable
from server.domain.model import LinkId
from server.storage.postgres.pool import Database
from server.storage.postgres.uses import PostgresUses
from tests.support import eventually

pytestmark = pytest.mark.anyio

LINK = LinkId(1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, max_connections=8)
    await database.open()
    async with database.connection() as connection:
        await connection.execute("INSERT INTO accounts VALUES (1, 'Test', now())")
        await connection.execute("INSERT INTO links VALUES (1, 1, 'a', 'https://example.com/', NULL, now(), now())")
    yield database
    await database.close()


async def scanned(database: Database, scans: int) -> None:
    async with database.connection() as connection:
        await connection.execute("DELETE FROM scan_totals")
        await connection.execute("INSERT INTO scan_totals VALUES (1, $1, now())", scans)


async def test_at_once_exactly_so_many_are_taken(database: Database) -> None:
    uses = PostgresUses(database)
    taken = await asyncio.gather(*(uses.take(LINK, 50) for _ in range(200)))
    assert taken.count(True) == 50
    assert await uses.left(LINK, 51)
    assert not await uses.left(LINK, 50)


async def test_a_limit_counts_the_scans_before_it(database: Database) -> None:
    uses = PostgresUses(database)
    assert await uses.left(LINK, 1)
    await scanned(database, 3)
    assert not await uses.left(LINK, 3)
    assert not await uses.take(LINK, 3)
    assert [await uses.take(LINK, 5) for _ in range(3)] == [True, True, False]


async def test_the_counts_of_scans_may_lag_behind_or_run_ahead_while_there_was_no_limit(database: Database) -> None:
    uses = PostgresUses(database)
    assert [await uses.take(LINK, 5) for _ in range(3)] == [True] * 3
    await scanned(database, 1)
    assert await uses.take(LINK, 5)
    await scanned(database, 7)
    assert not await uses.left(LINK, 7)
    assert [await uses.take(LINK, 9) for _ in range(3)] == [True, True, False]


async def test_a_limit_that_is_raised_lets_more_through(database: Database) -> None:
    uses = PostgresUses(database)
    assert [await uses.take(LINK, 1) for _ in range(2)] == [True, False]
    assert [await uses.take(LINK, 2) for _ in range(2)] == [True, False]
    assert not await uses.take(LINK, 1)


async def test_a_row_that_somebody_holds_is_not_waited_for_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.storage.postgres.uses.WAIT_S", 0.1)
    uses = PostgresUses(database)
    assert await uses.take(LINK, 9)
    async with database.transaction() as connection:
        await connection.execute("SELECT FROM link_uses FOR UPDATE")
        with pytest.raises(StorageUnavailable):
            await uses.take(LINK, 9)
    assert [await uses.take(LINK, 3) for _ in range(3)] == [True, True, False]


async def test_counting_tells_nobody_that_the_link_has_changed(database: Database) -> None:
    heard: list[object] = []

    def hear(*news: object) -> None:
        heard.append(news[-1])

    async with database.connection() as listening:
        await listening.add_listener("qredge_links", hear)
        assert await PostgresUses(database).take(LINK, 9)
        async with database.connection() as connection:
            await connection.execute("SELECT pg_notify('qredge_links', 'the end')")
        await eventually(lambda: heard, what="the notification")
        await listening.remove_listener("qredge_links", hear)
    assert heard == ["the end"]
