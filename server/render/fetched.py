"""Logos and photos that were fetched: `Fetched`."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from server.domain.design import Picture
from server.domain.errors import Busy
from server.domain.ports import Artist

#: How long a picture that was fetched stands for what is at its address, and how many bytes of them are kept.
FRESH = timedelta(minutes=5)
MAX_FETCHED_BYTES = 32 << 20

#: Addresses that are fetched from at a time, each for seconds and megabytes, and how many may wait for their turn.
MAX_FETCHING = 8
MAX_WAITING = 64


class Fetched:
    """Pictures from addresses: each fetched once, however many ask, and kept for a while."""

    def __init__(self, artist: Artist, fetch: Callable[[str], Awaitable[bytes]], now: Callable[[], datetime]) -> None:
        self._artist = artist
        self._fetch = fetch
        self._now = now
        #: Address -> when it was fetched, and what was there; the oldest first.
        self._kept: OrderedDict[str, tuple[datetime, Picture]] = OrderedDict()
        #: The bytes of all of them.
        self.size_bytes = 0
        self._flights: dict[str, asyncio.Task[Picture]] = {}
        self._turns = asyncio.Semaphore(MAX_FETCHING)

    async def get(self, url: str) -> Picture:
        """What is at the address; raises InvalidValue, and Busy when too many are being fetched."""
        self._drop_stale()
        if url in self._kept:
            return self._kept[url][1]
        flight = self._flights.get(url)
        if flight is None:
            if len(self._flights) >= MAX_FETCHING + MAX_WAITING:
                raise Busy
            flight = self._flights[url] = asyncio.create_task(self._fly(url))
            flight.add_done_callback(lambda landed: self._landed(url, landed))
        # It is nobody's own: whoever goes away leaves it to the others.
        await asyncio.wait([flight])
        return flight.result()

    async def _fly(self, url: str) -> Picture:
        async with self._turns:
            data = await self._fetch(url)
            picture = replace(await self._artist.admit(data), url=url)
        self._kept[url] = (self._now(), picture)
        self.size_bytes += _size(picture)
        while self.size_bytes > MAX_FETCHED_BYTES:
            self._drop_oldest()
        return picture

    def _landed(self, url: str, flight: asyncio.Task[Picture]) -> None:
        del self._flights[url]
        if not flight.cancelled():
            flight.exception()  # all who waited may have gone; asyncio would complain of an error that nobody saw

    def _drop_stale(self) -> None:
        now = self._now()
        while self._kept and now - next(iter(self._kept.values()))[0] >= FRESH:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, (_, picture) = self._kept.popitem(last=False)
        self.size_bytes -= _size(picture)


def _size(picture: Picture) -> int:
    assert picture.data is not None, "it was fetched"
    return len(picture.data)
