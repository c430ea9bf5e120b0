"""What a worker does beside answering."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import asyncpg
import pytest

from server import app
from server.app import _follow, _load
from server.domain.accounts import Accounts
from server.domain.callers import Callers
from server.domain.label import Label
from server.domain.limits import Limits
from server.domain.model import ApiKeyId, Targets
from server.edge.cache import LinkCache
from server.edge.image import ImageAnswers
from server.parts import now
from server.scans.feed import ScanFeed
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.links import PostgresTargets
from server.storage.postgres.pool import Database
from server.storage.postgres.recorded import PostgresRecordedScans
from server.storage.postgres.usage import PostgresUsage
from tests.support import PLANS, eventually, new_id

pytestmark = pytest.mark.anyio


async def test_what_was_loaded_first_is_no_concern_of_the_garbage_collector_any_more(database_url: str) -> None:
    database = Database(database_url)
    await database.open()
    links = LinkCache(PostgresTargets(database), max_links=100, report=pytest.fail)
    before = gc.get_freeze_count()
    try:
        await _load(links)
        frozen = gc.get_freeze_count()
        assert frozen > before
        await _load(links)
        assert gc.get_freeze_count() <= frozen  # or what is garbage by then would stay for good
    finally:
        gc.unfreeze()
        await database.close()


class Slow(PostgresTargets):
    """Of which a load takes as long as a test wants."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked, self.open = asyncio.Event(), asyncio.Event()

    async def all(self, limit: int) -> AsyncIterator[Targets]:
        self.asked.set()
        await self.open.wait()
        async for page in super().all(limit):
            yield page


async def test_a_change_is_followed_while_everything_is_read(database_url: str) -> None:
    database = Database(database_url)
    await database.open()
    store = Slow(database)
    links = LinkCache(store, max_links=100, report=pytest.fail)
    callers, feed = Callers(PostgresAccounts(database, PLANS)), ScanFeed(PostgresRecordedScans(database))
    following = asyncio.create_task(_follow(links, callers, ImageAnswers(), feed, asyncio.Event(), database_url))
    connection = await asyncpg.connect(database_url)
    try:
        await store.asked.wait()
        await connection.execute("INSERT INTO accounts VALUES (1, 'Test', now())")
        await connection.execute("INSERT INTO links VALUES (1, 1, 'new', 'https://a.example/', NULL, now(), now())")
        await eventually(lambda: "new" in links.live, what="the change")
        assert not links.loaded
        store.open.set()
        await eventually(lambda: links.loaded, what="the load")
    finally:
        following.cancel()
        gc.unfreeze()
        await connection.close()
        await database.close()


class Hanging(PostgresAccounts):
    """Of which uses of keys are never stored."""

    async def keys_used(self, at: Mapping[ApiKeyId, datetime]) -> None:
        await asyncio.Event().wait()


async def test_a_database_that_hangs_does_not_keep_a_worker_from_ending(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "LAST_USES_S", 0.01)
    database = Database(database_url)
    await database.open()
    try:
        accounts = Accounts(Hanging(database, PLANS), now=now, new_id=new_id)
        account = await accounts.create(Label("Test"))
        _, key = await accounts.create_key(account, Label("Test"))
        await accounts.authenticate(key)
        await asyncio.wait_for(app._store_last_uses(accounts, Limits(PostgresUsage(database), None, now=now)), 10)
    finally:
        await database.close()
    assert "the last use of keys is not stored: TimeoutError" in caplog.text
