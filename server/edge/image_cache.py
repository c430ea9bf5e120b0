"""Drawn images in memory, and the way to one: memory, then what processes share, then the pencil.

A hit in memory is one look into a dict and awaits nothing: 0.4 us, where the plainest drawing takes 14 and its ETag 5.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from sys import getsizeof
from time import perf_counter

from server.domain.model import Hit, Image
from server.domain.ports import SharedImages
from server.requests import Durations

#: What an entry takes beside its texts and bytes, at worst: the tuple, and a place in a dict that has just grown.
ENTRY_BYTES = 140

#: An image may take this part of the memory, as a larger one would drive out too many others.
LARGEST_PART = 8

#: This part of the memory is made free at once: one by one, each would be searched for past those dropped before.
FREED_PART = 256

#: An Image but for its ETag, which is the key. The garbage collector does not track tuples of such values: 80,000
#: small images cost a collection 1 ms so, and 45 ms as Images in an OrderedDict, which redirects would wait for.
Entry = tuple[bytes, str, bool, str | None]

Flight = asyncio.Task[tuple[Image, Hit]]


class ImageMemory:
    """ETag -> image; past `max_bytes`, those go that were not asked for the longest. All in O(1), amortized."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        #: The one asked for last is the last.
        self._entries: dict[str, Entry] = {}
        #: What all of it takes now.
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, etag: str) -> Image | None:
        entry = self._entries.pop(etag, None)
        if entry is None:
            return None
        self._entries[etag] = entry
        body, media_type, scannable, reason = entry
        return Image(body, media_type, etag, scannable, reason)

    def put(self, image: Image) -> None:
        body, media_type, etag, scannable, reason = image
        entry = body, media_type, scannable, reason
        if etag in self._entries:
            self._drop(etag)
        size = _size(etag, entry)
        if size > self._max_bytes // LARGEST_PART:
            return
        self._entries[etag] = entry
        self.size_bytes += size
        if self.size_bytes > self._max_bytes:
            self._make_room()

    def _make_room(self) -> None:
        enough = self._max_bytes - self._max_bytes // FREED_PART
        oldest: list[str] = []
        for etag, entry in self._entries.items():
            if self.size_bytes <= enough:
                break
            self.size_bytes -= _size(etag, entry)
            oldest.append(etag)
        for etag in oldest:
            del self._entries[etag]

    def _drop(self, etag: str) -> None:
        entry = self._entries.pop(etag, None)
        if entry is not None:
            self.size_bytes -= _size(etag, entry)


def _size(etag: str, entry: Entry) -> int:
    """The bytes of memory that it takes to keep it. Media types are few, and are there anyway."""
    body, _, _, reason = entry
    return ENTRY_BYTES + getsizeof(etag) + getsizeof(body) + (getsizeof(reason) if reason is not None else 0)


class Images:
    """`ImageCache`, in memory and, where there is one, before what processes share."""

    def __init__(self, *, max_bytes: int, shared: SharedImages | None) -> None:
        self._memory = ImageMemory(max_bytes)
        self._shared = shared
        self._flights: dict[str, Flight] = {}
        #: Images that were had from memory, and from what processes share.
        self.local = self.shared = 0
        #: How long it took to draw the others, by media type.
        self.drawn: dict[str, Durations] = {}

    def known(self, etag: str) -> Image | None:
        """What is in memory."""
        image = self._memory.get(etag)
        if image is not None:
            self.local += 1
        return image

    @property
    def size_bytes(self) -> int:
        """What those in memory take of it."""
        return self._memory.size_bytes

    def inline(self, etag: str, draw: Callable[[], Image]) -> tuple[Image, Hit]:
        # Nothing here awaits, so that nobody can ask for the same one meanwhile.
        image = self.known(etag)
        if image is not None:
            return image, Hit.LOCAL
        began = perf_counter()
        image = draw()
        self._count_drawn(image, began)
        self._memory.put(image)
        return image, Hit.MISS

    async def get(self, etag: str, draw: Callable[[], Awaitable[Image]]) -> tuple[Image, Hit]:
        image = self.known(etag)
        if image is not None:
            return image, Hit.LOCAL
        flight = self._flights.get(etag)
        if flight is None:
            flight = self._flights[etag] = asyncio.create_task(self._fly(etag, draw))
            flight.add_done_callback(partial(self._landed, etag))
        # The flight is nobody's own: whoever goes away leaves it to the others, or at least to the memory.
        await asyncio.wait([flight])
        return flight.result()

    async def _fly(self, etag: str, draw: Callable[[], Awaitable[Image]]) -> tuple[Image, Hit]:
        hit = Hit.SHARED
        image = await self._shared.get(etag) if self._shared is not None else None
        if image is None:
            hit = Hit.MISS
            began = perf_counter()
            image = await draw()
            self._count_drawn(image, began)
            if self._shared is not None:
                self._shared.put(image)
        else:
            self.shared += 1
        self._memory.put(image)
        return image, hit

    def _count_drawn(self, image: Image, began_s: float) -> None:
        took = self.drawn.get(image.media_type)
        if took is None:
            took = self.drawn[image.media_type] = Durations()
        took.add(perf_counter() - began_s)

    def _landed(self, etag: str, flight: Flight) -> None:
        del self._flights[etag]
        if not flight.cancelled():
            flight.exception()  # all who waited may have gone; asyncio would complain of an error that nobody saw
