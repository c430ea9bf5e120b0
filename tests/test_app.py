"""What a worker does beside answering."""

import gc

import pytest

from server.app import _load
from server.edge.cache import LinkCache
from server.storage.postgres.links import PostgresTargets
from server.storage.postgres.pool import Database

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
