"""Use cases: pictures of codes, stored or not."""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from server.domain.design import Background, Design, Logo, Picture
from server.domain.errors import BadPicture, InvalidValue, Unscannable
from server.domain.model import Hit, Image
from server.domain.order import Order
from server.domain.ports import Artist, ImageCache, PictureStore
from server.domain.scannability import Scannability

#: How long a picture that was fetched stands for what is at its address, and how many of them are kept.
FRESH = timedelta(minutes=5)
MAX_FETCHED = 32


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
        self._fetch = fetch
        self._now = now
        #: Address -> when it was fetched, and what was there.
        self._fetched: OrderedDict[str, tuple[datetime, Picture]] = OrderedDict()

    # --- pictures that designs name ---

    async def complete(self, design: Design) -> Design:
        """The design with the bytes of all its pictures; raises BadPicture, which names the field."""
        for field, picture in design.pictures.items():
            if picture.data is not None and picture.sha256 is not None:
                continue
            try:
                found = await self._have(picture)
            except InvalidValue as exc:
                where = "url" if picture.url else "data" if picture.data else "sha256"
                raise BadPicture(exc.reason, exc.detail, field=f"{field}/{where}") from exc
            if field == "logo/image":
                assert isinstance(design.logo, Logo)
                design = replace(design, logo=replace(design.logo, image=found))
            else:
                background: Background = replace(design.background, image=found)
                design = replace(design, background=background)
        return design

    async def _have(self, picture: Picture) -> Picture:
        if picture.sha256 is not None:
            data = await self._pictures.get(picture.sha256)
            if data is not None:
                return replace(picture, data=data)
            if picture.url is None:
                raise InvalidValue("unknown_picture", "No picture with this hash is stored here.")
        if picture.data is not None:
            return await self._admitted(picture.data, None)
        assert picture.url is not None, "a picture has one of the three"
        kept = self._fetched.get(picture.url)
        if kept is not None and self._now() - kept[0] < FRESH:
            return kept[1]
        found = await self._admitted(await self._fetch(picture.url), picture.url)
        self._fetched[picture.url] = (self._now(), found)
        while len(self._fetched) > MAX_FETCHED:
            self._fetched.popitem(last=False)
        return found

    async def _admitted(self, data: bytes, url: str | None) -> Picture:
        """Known by the bytes that were given, kept no larger than they are of use."""
        return Picture(url=url, sha256=hashlib.sha256(data).hexdigest(), data=await self._artist.admit(data))

    # --- pictures of codes ---

    def show(self, order: Order, *, allow_unscannable: bool = False) -> Shown:
        """The picture of a text; every picture in its design has its hash."""
        etag = self._artist.etag(order)

        async def draw_later() -> Image:
            return await self._artist.draw(replace(order, design=await self.complete(order.design)), etag)

        async def draw() -> tuple[Image, Hit]:
            if self._artist.is_quick(order):
                return self._images.inline(etag, lambda: self._artist.draw_at_once(order, etag))
            image, hit = await self._images.get(etag, draw_later)
            if not image.scannable and not allow_unscannable:
                raise Unscannable((await self.examine(order)).findings)
            return image, hit

        return Shown(etag, draw)

    async def examine(self, order: Order) -> Scannability:
        """All that is known about whether the picture scans."""
        return await self._artist.examine(replace(order, design=await self.complete(order.design)))

    async def check(self, order: Order, *, allow_unscannable: bool) -> None:
        """Raises InvalidValue for what cannot be drawn, and Unscannable for what should not be."""
        if self._artist.is_quick(order):
            self._artist.check(order)
            return
        found = await self.examine(order)
        if not found.scannable and not allow_unscannable:
            raise Unscannable(found.findings)
