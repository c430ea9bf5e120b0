"""Use cases: pictures of codes, stored or not."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from server.domain.design import Design, Picture
from server.domain.errors import BadPicture, Busy, InvalidValue, Unscannable
from server.domain.model import AccountId, Hit, Image
from server.domain.order import Order
from server.domain.ports import Artist, ImageCache, PictureStore
from server.domain.scannability import Scannability

#: How long a picture that was fetched stands for what is at its address, and how many bytes of them are kept.
FRESH = timedelta(minutes=5)
MAX_FETCHED_BYTES = 32 << 20

#: Addresses that are fetched from at a time, each for seconds and megabytes, and how many may wait for their turn.
MAX_FETCHING = 8
MAX_WAITING = 64


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, whose ETag is known before it is drawn."""

    etag: str
    #: Has it from wherever it is, or draws it. Raises InvalidValue, and Unscannable unless that was allowed.
    draw: Callable[[], Awaitable[tuple[Image, Hit]]]


class Studio:
    """Draws codes, and proves that they scan."""

    def __init__(
        self,
        artist: Artist,
        images: ImageCache,
        pictures: PictureStore,
        *,
        fetch: Callable[[str], Awaitable[bytes]],
        now: Callable[[], datetime],
    ) -> None:
        self._artist = artist
        self._images = images
        self._pictures = pictures
        self._fetched = Fetched(artist, fetch, now)

    # --- what is asked for ---

    def check(self, order: Order) -> None:
        """Raises InvalidValue for what cannot be drawn, as far as that is known without its pictures."""
        self._artist.check(order)

    async def complete(self, design: Design, account: AccountId) -> Design:
        """The design with the bytes of all its pictures; raises BadPicture, which names the field.

        By its hash an account has only what its own codes store: else it could find out what others have.
        """
        for field, picture in design.pictures.items():
            if picture.data is not None and picture.sha256 is not None:
                continue
            try:
                design = design.with_picture(field, await self._have(picture, account))
            except InvalidValue as exc:
                where = "url" if picture.url else "data" if picture.data else "sha256"
                raise BadPicture(exc.reason, exc.detail, field=f"{field}/{where}") from exc
        return design

    async def _have(self, picture: Picture, account: AccountId) -> Picture:
        if picture.sha256 is not None:
            data = await self._pictures.get(account, picture.sha256)
            if data is not None:
                return replace(picture, data=data)
            if picture.url is None:
                raise InvalidValue("unknown_picture", "No code of this account has a picture with this hash.")
        if picture.data is not None:
            return await self._artist.admit(picture.data)
        assert picture.url is not None, "a picture has one of the three"
        return await self._fetched.get(picture.url)

    # --- pictures of codes ---

    def show(self, order: Order, account: AccountId, *, allow_unscannable: bool = False) -> Shown:
        """The picture of a text; every picture in its design has its hash."""
        etag = self._artist.etag(order)

        async def draw_later() -> Image:
            return await self._artist.draw(await self._completed(order, account), etag)

        async def draw() -> tuple[Image, Hit]:
            if self._artist.is_quick(order):
                return self._images.inline(etag, lambda: self._artist.draw_at_once(order, etag))
            image, hit = await self._images.get(etag, draw_later)
            if not image.scannable and not allow_unscannable:
                raise Unscannable((await self.examine(order, account)).findings)
            return image, hit

        return Shown(etag, draw)

    async def examine(self, order: Order, account: AccountId) -> Scannability:
        """All that is known about whether the picture scans."""
        return await self._artist.examine(await self._completed(order, account))

    async def prove(self, order: Order, account: AccountId, *, allow_unscannable: bool) -> None:
        """Raises InvalidValue for what cannot be drawn, and Unscannable for what should not be."""
        if self._artist.is_quick(order):
            self._artist.check(order)
            return
        found = await self.examine(order, account)
        if not found.scannable and not allow_unscannable:
            raise Unscannable(found.findings)

    async def _completed(self, order: Order, account: AccountId) -> Order:
        return replace(order, design=await self.complete(order.design, account))


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
