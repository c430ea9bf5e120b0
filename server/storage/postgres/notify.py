"""What the database tells of itself: what has changed, by whomever."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping

import asyncpg

from server.storage.postgres.pool import CONNECT_TIMEOUT_S, UNAVAILABLE, UNREACHABLE

log = logging.getLogger(__name__)

#: Tells the slugs of changed links.
LINKS = "qredge_links"
#: Tells the ids of accounts that have changed, or a key of theirs has.
ACCOUNTS = "qredge_accounts"
#: Tells lists of the ids of accounts of which scans have been written.
SCANS = "qredge_scans"

#: Tells the ids of QR codes that have changed.
CODES = "qredge_codes"

#: In place of what has changed.
ANYTHING = ""
#: Changes of a kind beyond which whoever keeps them in memory reads all sooner than each.
MANY = 50_000
#: As many ids as fit into a notification, which has less than 8,000 bytes (PostgreSQL, NOTIFY).
MANY_IDS = 7_999 // (19 + 1)
SETTINGS = {"application_name": "qredge listener"}
RECONNECT_S = 0.5
ALIVE_EVERY_S = 5.0

#: By channel: what has changed, or None where anything may have.
News = Mapping[str, set[str] | None]


def listed(numbers: Collection[int]) -> str:
    """The ids as one notification; very many are anything."""
    return ",".join(map(str, numbers)) if len(numbers) <= MANY_IDS else ANYTHING


def numbers_in(lists: set[str] | None) -> set[int] | None:
    """The ids in such notifications."""
    return None if lists is None else {int(number) for each in lists for number in each.split(",")}


async def changes(database_url: str, *channels: str) -> AsyncIterator[News | None]:
    """Yields what has changed as it comes, all that came meanwhile at once.

    Of every channel anything may have, whenever it has begun to listen; and of one, when it is told so, or of very
    many changes. None says that from now on nothing is told, until there are news again: the connection was lost, and
    is made anew. Never ends.
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
            async for news in _heard(connection, channels):
                yield news
        except UNAVAILABLE:
            pass
        finally:
            connection.terminate()
        yield None


async def _heard(connection: asyncpg.Connection, channels: tuple[str, ...]) -> AsyncIterator[News]:
    """What is told on one connection, until that is closed."""
    told = {channel: set[str]() for channel in channels}
    anything = asyncio.Event()

    def hear(_connection: object, _pid: int, channel: str, what: object) -> None:
        changed = told[channel]
        changed.add(str(what) if len(changed) < MANY else ANYTHING)
        anything.set()

    connection.add_termination_listener(lambda _: anything.set())
    for channel in channels:
        await connection.add_listener(channel, hear)
    yield dict.fromkeys(channels)
    while not connection.is_closed():
        if await _within(anything, ALIVE_EVERY_S):
            anything.clear()
            news = {channel: None if ANYTHING in what else set(what) for channel, what in told.items() if what}
            for what in told.values():
                what.clear()
            if news:
                yield news
        else:  # a peer that vanished says nothing; a question finds out
            await connection.execute("SELECT 1", timeout=CONNECT_TIMEOUT_S)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
