"""The database itself tells which links have changed, whoever changed them."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from server.storage.postgres import notify
from server.storage.postgres.notify import link_changes

pytestmark = pytest.mark.anyio

ADD_ACCOUNT = "INSERT INTO accounts VALUES (1, 'Test', now())"
ADD_LINK = "INSERT INTO links VALUES ($1, 1, $2, 'https://example.com/', NULL, now(), now(), NULL)"
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1"

Changes = AsyncIterator[set[str] | None]


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await connection.execute(ADD_ACCOUNT)
    yield connection
    await connection.close()


async def told(changes: Changes) -> set[str] | None:
    return await asyncio.wait_for(anext(changes), 20)


async def told_of(changes: Changes, slugs: set[str]) -> None:
    """Waits until the slugs, and no others, have been told of."""
    heard: set[str] = set()
    while heard != slugs:
        heard |= await told(changes) or set()
        assert heard <= slugs


async def test_every_kind_of_change_is_told(database_url: str, connection: asyncpg.Connection) -> None:
    changes = link_changes(database_url)
    assert await told(changes) is None
    await connection.execute(ADD_LINK, 1, "one")
    await told_of(changes, {"one"})
    await connection.execute("UPDATE links SET destination = 'https://example.org/'")
    await told_of(changes, {"one"})
    await connection.execute("UPDATE links SET slug = 'two'")
    await told_of(changes, {"one", "two"})
    await connection.execute("DELETE FROM links")
    await told_of(changes, {"two"})


async def test_when_all_are_removed_or_somebody_says_so_anything_may_have_changed(
    database_url: str, connection: asyncpg.Connection
) -> None:
    changes = link_changes(database_url)
    assert await told(changes) is None
    for statement in ("TRUNCATE links CASCADE", "NOTIFY qredge_links"):
        await connection.execute(statement)
        assert await told(changes) is None


async def test_of_very_many_changes_nobody_wants_to_hear_one_by_one(
    database_url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "MANY", 10)
    changes = link_changes(database_url)
    assert await told(changes) is None
    async with connection.transaction():
        for number in range(1000):
            await connection.execute(ADD_LINK, number, f"slug-{number}")
    while (slugs := await told(changes)) is not None:
        assert len(slugs) <= 10


async def test_a_transaction_is_told_when_it_is_committed(database_url: str, connection: asyncpg.Connection) -> None:
    changes = link_changes(database_url)
    assert await told(changes) is None
    async with connection.transaction():
        for number in range(100):
            await connection.execute(ADD_LINK, number, f"slug-{number}")
    await told_of(changes, {f"slug-{number}" for number in range(100)})


async def test_a_lost_connection_is_made_again_and_everything_may_have_changed(
    database_url: str, connection: asyncpg.Connection
) -> None:
    changes = link_changes(database_url)
    assert await told(changes) is None
    await connection.fetch(OTHERS, connection.get_server_pid())
    assert await told(changes) is None
    await connection.execute(ADD_LINK, 1, "one")
    await told_of(changes, {"one"})
