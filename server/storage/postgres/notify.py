"""What the database tells of itself: which links have changed."""

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncpg

from server.storage.postgres.pool import CONNECT_TIMEOUT_S, UNAVAILABLE, UNREACHABLE

log = logging.getLogger(__name__)

CHANNEL = "qredge_links"
#: In place of a slug.
ANYTHING = ""
#: Slugs beyond which the whole table is read sooner than they are.
MANY = 50_000
SETTINGS = {"application_name": "qredge listener"}
RECONNECT_S = 0.5
ALIVE_EVERY_S = 5.0


async def link_changes(database_url: str) -> AsyncIterator[set[str] | None]:
    """Yields None whenever it has begun to listen, as anything may have changed before, and when it is told so
    or of very many; then the slugs of changed links as they come, all that came meanwhile at once. Never ends: a lost
    connection is made again.
    """
    silent = False
    while True:
        try:
            connection = await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_S, server_settings=SETTINGS)
        except UNREACHABLE as exc:
            if not silent:
                log.warning("cannot listen to the database, trying again: %s", str(exc) or type(exc).__name__)
            silent = True
            await asyncio.sleep(RECONNECT_S)
            continue
        silent = False
        try:
            changed: set[str] = set()
            news = asyncio.Event()

            def heard(*notification: object, changed: set[str] = changed, news: asyncio.Event = news) -> None:
                changed.add(str(notification[-1]) if len(changed) < MANY else ANYTHING)
                news.set()

            connection.add_termination_listener(lambda _, news=news: news.set())
            await connection.add_listener(CHANNEL, heard)
            yield None
            while not connection.is_closed():
                if await _within(news, ALIVE_EVERY_S):
                    news.clear()
                    slugs = set(changed)
                    changed.clear()
                    if slugs:
                        yield None if ANYTHING in slugs else slugs
                else:  # a peer that vanished says nothing; a question finds out
                    await connection.execute("SELECT 1", timeout=CONNECT_TIMEOUT_S)
        except UNAVAILABLE:
            pass
        finally:
            connection.terminate()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
