"""Use cases: pictures of codes, stored or not."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import NamedTuple

from server.domain.design import Design, Picture
from server.domain.errors import BadPicture, InvalidValue, Unscannable
from server.domain.model import AccountId, Hit, Image
from server.domain.order import Order
from server.domain.ports import Artist, ImageCache, PictureStore
from server.domain.scannability import Scannability


class Shown(NamedTuple):
    """A picture, whose ETag is known before it is drawn."""

    etag: str
    #: Has it from wherever it is, or draws it. Raises InvalidValue, and Unscannable unless that was allowed.
    draw: Callable[[], Awaitable[tuple[Image, Hit]]]
    #: The same without waiting; None of what takes longer.
    at_once: Callable[[], tuple[Image, Hit] | None] = lambda: None


class Studio:
    """Draws codes, and proves that they scan."""

    def __init__(
        self,
        artist: Artist,
        images: ImageCache,
        pictures: PictureStore,
        *,
        fetched: Callable[[str], Awaitable[Picture]],
    ) -> None:
        """`fetched` has what is at an address, as `Artist.admit` keeps it; it raises InvalidValue, and Busy."""
        self._artist = artist
        self._images = images
        self._pictures = pictures
        self._fetched = fetched

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

    async def completed(self, order: Order, account: AccountId) -> Order:
        """The order with the design that `complete` makes of its own."""
        if not order.design.pictures:
            return order
        return order._replace(design=await self.complete(order.design, account))

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
        return await self._fetched(picture.url)

    # --- pictures of codes ---

    def show(
        self,
        order: Order,
        account: AccountId,
        *,
        allow_unscannable: bool = False,
        verdict: Scannability | None = None,
    ) -> Shown:
        """The picture of a text; every picture in its design has its hash. `verdict` is what `prove` has found."""
        etag = self._artist.etag(order)

        async def draw_later() -> Image:
            return await self._artist.draw(await self.completed(order, account), etag, verdict)

        def at_once() -> tuple[Image, Hit] | None:
            if not self._artist.is_quick(order):
                return None
            return self._images.inline(etag, lambda: self._artist.draw_at_once(order, etag))

        async def draw() -> tuple[Image, Hit]:
            if found := at_once():
                return found
            image, hit = await self._images.get(etag, draw_later)
            if not image.scannable and not allow_unscannable:
                raise Unscannable((await self.examine(order, account)).findings)
            return image, hit

        return Shown(etag, draw, at_once)

    async def examine(self, order: Order, account: AccountId) -> Scannability:
        """All that is known about whether the picture scans."""
        return await self._artist.examine(await self.completed(order, account))

    async def prove(self, order: Order, account: AccountId, *, allow_unscannable: bool) -> Scannability | None:
        """Raises InvalidValue for what cannot be drawn, and Unscannable for what should not be; else returns what is
        known about it, which is nothing where it needs no proof."""
        if self._artist.is_quick(order):
            self._artist.check(order)
            return None
        found = await self.examine(order, account)
        if not found.scannable and not allow_unscannable:
            raise Unscannable(found.findings)
        return found
