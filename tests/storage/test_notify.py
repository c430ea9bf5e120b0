"""The database itself tells what has changed, whoever changed it."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from server.storage.postgres import notify
from server.storage.postgres.notify import ACCOUNTS, CODES, LINKS, News, changes

pytestmark = pytest.mark.anyio

ADD_ACCOUNT = "INSERT INTO accounts VALUES (1, 'Test', now())"
ADD_LINK = "INSERT INTO links VALUES ($1, 1, $2, 'https://example.com/', NULL, now(), now(), NULL)"
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1"

ADD_KEY = "INSERT INTO api_keys VALUES ($1, $2, $3, 'Key', 'abcd', now())"

Changes = AsyncIterator[News | None]


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await connection.execute(ADD_ACCOUNT)
    yield connection
    await connection.close()


async def told(news: Changes) -> News | None:
    return await asyncio.wait_for(anext(news), 20)


async def told_of(news: Changes, what: set[str], channel: str = LINKS) -> None:
    """Waits until what has changed, and nothing else, has been told of."""
    heard: set[str] = set()
    while heard != what:
        now = await told(news)
        assert now is not None
        assert now.keys() == {channel}
        heard |= now[channel] or set()
        assert heard <= what


#: Any link may have changed.
ANY_LINK = {LINKS: None}


async def test_every_kind_of_change_is_told(database_url: str, connection: asyncpg.Connection) -> None:
    news = changes(database_url, LINKS)
    assert await told(news) == ANY_LINK
    await connection.execute(ADD_LINK, 1, "one")
    await told_of(news, {"one"})
    await connection.execute("UPDATE links SET destination = 'https://example.org/'")
    await told_of(news, {"one"})
    await connection.execute("UPDATE links SET slug = 'two'")
    await told_of(news, {"one", "two"})
    await connection.execute("DELETE FROM links")
    await told_of(news, {"two"})


async def test_when_all_are_removed_or_somebody_says_so_anything_may_have_changed(
    database_url: str, connection: asyncpg.Connection
) -> None:
    news = changes(database_url, LINKS)
    assert await told(news) == ANY_LINK
    for statement in ("TRUNCATE links CASCADE", "NOTIFY qredge_links"):
        await connection.execute(statement)
        assert await told(news) == ANY_LINK


async def test_of_very_many_changes_nobody_wants_to_hear_one_by_one(
    database_url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "MANY", 10)
    news = changes(database_url, LINKS)
    assert await told(news) == ANY_LINK
    async with connection.transaction():
        for number in range(1000):
            await connection.execute(ADD_LINK, number, f"slug-{number}")
    while (now := await told(news)) != ANY_LINK:
        assert now is not None
        assert len(now[LINKS] or ()) <= 10


async def test_a_transaction_is_told_when_it_is_committed(database_url: str, connection: asyncpg.Connection) -> None:
    news = changes(database_url, LINKS)
    assert await told(news) == ANY_LINK
    async with connection.transaction():
        for number in range(100):
            await connection.execute(ADD_LINK, number, f"slug-{number}")
    await told_of(news, {f"slug-{number}" for number in range(100)})


async def test_a_lost_connection_is_told_at_once_and_then_anything_may_have_changed(
    database_url: str, connection: asyncpg.Connection
) -> None:
    news = changes(database_url, LINKS)
    assert await told(news) == ANY_LINK
    await connection.fetch(OTHERS, connection.get_server_pid())
    assert await told(news) is None
    assert await told(news) == ANY_LINK
    await connection.execute(ADD_LINK, 1, "one")
    await told_of(news, {"one"})


async def test_what_changes_of_a_key_is_told_and_not_that_it_was_used(
    database_url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute("INSERT INTO accounts VALUES (2, 'Other', now())")
    news = changes(database_url, ACCOUNTS)
    assert await told(news) == {ACCOUNTS: None}
    for number in (1, 2, 3):
        await connection.execute(ADD_KEY, number, 1 + number % 2, bytes([number]))
    await connection.execute("UPDATE api_keys SET last_used_at = now()")
    for statement, accounts in (
        ("UPDATE api_keys SET permissions = '{read}', last_used_at = now() WHERE id = 1", {"2"}),
        ("UPDATE api_keys SET account_id = 2 WHERE id = 2", {"1"}),
        ("DELETE FROM api_keys WHERE id = 2", {"2"}),
        ("UPDATE accounts SET name = 'Another' WHERE id = 1", {"1"}),
        ("DELETE FROM accounts WHERE id = 2", {"2"}),
    ):
        await connection.execute(statement)
        await told_of(news, accounts, ACCOUNTS)


@pytest.mark.parametrize("statement", ["TRUNCATE api_keys", "TRUNCATE accounts CASCADE", "NOTIFY qredge_accounts"])
async def test_when_all_keys_or_accounts_are_removed_any_may_have_changed(
    database_url: str, connection: asyncpg.Connection, statement: str
) -> None:
    news = changes(database_url, ACCOUNTS)
    assert await told(news) == {ACCOUNTS: None}
    await connection.execute(statement)
    assert await told(news) == {ACCOUNTS: None}


async def test_one_connection_tells_of_everything(database_url: str, connection: asyncpg.Connection) -> None:
    news = changes(database_url, LINKS, ACCOUNTS)
    assert await told(news) == {LINKS: None, ACCOUNTS: None}
    async with connection.transaction():
        await connection.execute(ADD_LINK, 1, "one")
        await connection.execute("UPDATE accounts SET name = 'Another'")
    assert await told(news) == {LINKS: {"one"}, ACCOUNTS: {"1"}}


ADD_CODE = """
    INSERT INTO qr_codes (id, account_id, content, design, created_at, updated_at)
    SELECT id, 1, '{}', '{}', now(), now() FROM generate_series(1, $1::bigint) AS id
"""


async def test_changed_codes_are_told_by_their_ids_and_very_many_at_once_as_any(
    database_url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute(ADD_LINK, 1, "one")
    news = changes(database_url, CODES)
    assert await told(news) == {CODES: None}
    await connection.execute(ADD_CODE, 200)
    for statement, codes in (
        ("UPDATE qr_codes SET name = 'Other' WHERE id IN (1, 2)", {"1", "2"}),
        ("UPDATE links SET destination = 'https://example.org/'; DELETE FROM qr_codes WHERE id = 3", {"3"}),
    ):
        await connection.execute(statement)
        await told_of(news, codes, CODES)
    for statement in ("UPDATE qr_codes SET name = 'Any'", "UPDATE links SET slug = 'two'", "TRUNCATE qr_codes CASCADE"):
        await connection.execute(statement)
        assert await told(news) == {CODES: None}
