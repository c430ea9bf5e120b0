"""Use cases: QR codes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from server.domain.content import Text
from server.domain.design import Design
from server.domain.destination import Destination
from server.domain.errors import InvalidValue, NotCounted, NotFound
from server.domain.ids import id_text
from server.domain.label import Label
from server.domain.links import Links, retry_on_clash
from server.domain.model import AccountId, Hit, Image, Link, LinkId, Page, QrCode, QrCodeChanges, QrCodeId
from server.domain.ports import Artist, ImageCache, ImageFormat, QrCodeStore
from server.domain.slug import Slug
from server.domain.stats import Period, Stats

#: Plain images up to this width are drawn sooner than Redis answers: 42 us at 2,048 px and 120 us at 4,096 px, for a
#: short URL, against 60 us for a value next door.
INLINE_PX = 2048


@dataclass(frozen=True, slots=True)
class Picture:
    """A code's image, whose ETag is known before it is drawn."""

    etag: str
    #: Has it from wherever it is, or draws it; raises InvalidValue ("size") where the symbol needs more pixels.
    draw: Callable[[], Awaitable[tuple[Image, Hit]]]


class QrCodes:
    """QR codes of an account, their images, and what is known of their scans."""

    def __init__(
        self,
        store: QrCodeStore,
        links: Links,
        artist: Artist,
        images: ImageCache,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], int],
        short_url: Callable[[Slug], str],
        changed: Callable[[Slug], Awaitable[None]],
    ) -> None:
        self._store = store
        self._links = links
        self._artist = artist
        self._images = images
        self._now = now
        self._new_id = new_id
        self._short_url = short_url
        self._changed = changed

    async def create(
        self, account: AccountId, says: Destination | LinkId | Text, *, name: Label | None, design: Design
    ) -> QrCode:
        """A new code: dynamic with a link of its own (Destination) or a link there is (LinkId), or static (Text)."""
        if isinstance(says, Destination):
            destination = says

            async def add() -> QrCode:
                link = self._links.draft(account, destination, title=name)
                return await self._add(account, link, name, design, with_link=True)

            code = await retry_on_clash(add)
            assert isinstance(code.content, Link), "add() has made it so"
            await self._changed(code.content.slug)
            return code
        content = says if isinstance(says, Text) else await self._links.get(account, says)
        return await self._add(account, content, name, design, with_link=False)

    async def _add(
        self, account: AccountId, content: Link | Text, name: Label | None, design: Design, *, with_link: bool
    ) -> QrCode:
        now = self._now()
        code = QrCode(
            id=QrCodeId(self._new_id()),
            account_id=account,
            name=name,
            content=content,
            design=design,
            created_at=now,
            updated_at=now,
        )
        self._check(code, design)
        await self._store.add(code, with_link=with_link)
        return code

    async def get(self, account: AccountId, code_id: QrCodeId) -> QrCode:
        return _found(await self._store.get(account, code_id), code_id)

    async def list(self, account: AccountId, *, before: int | None, limit: int) -> Page[QrCode]:
        return await self._store.list(account, before=before, limit=limit)

    async def change(self, account: AccountId, code_id: QrCodeId, changes: QrCodeChanges) -> QrCode:
        if "design" in changes:
            self._check(await self.get(account, code_id), changes["design"])
        return _found(await self._store.change(account, code_id, changes, self._now()), code_id)

    async def delete(self, account: AccountId, code_id: QrCodeId) -> None:
        """Its link stays, so that what is printed goes on working; whoever wants an end deletes the link."""
        if not await self._store.delete(account, code_id):
            raise _missing(code_id)

    async def picture(self, account: AccountId, code_id: QrCodeId, *, format: ImageFormat, size_px: int) -> Picture:
        code = await self.get(account, code_id)
        text, design = self.text(code), code.design
        etag = self._artist.etag(text, design, format=format, size_px=size_px)

        def draw() -> Image:
            return self._artist.draw(text, design, format=format, size_px=size_px, etag=etag)

        async def draw_later() -> Image:
            return draw()

        async def have() -> tuple[Image, Hit]:
            if size_px <= INLINE_PX:
                return self._images.inline(etag, draw)
            return await self._images.get(etag, draw_later)

        return Picture(etag, have)

    async def stats(self, account: AccountId, code_id: QrCodeId, period: Period) -> Stats:
        code = await self.get(account, code_id)
        if not isinstance(code.content, Link):
            raise NotCounted
        return await self._links.counted(code.content.id, period)

    def text(self, code: QrCode) -> str:
        """What the symbol says."""
        return self._short_url(code.content.slug) if isinstance(code.content, Link) else code.content.text

    def _check(self, code: QrCode, design: Design) -> None:
        try:
            self._artist.check(self.text(code), design)
        except InvalidValue as exc:
            # A dynamic code's text is ours; then it is the level that does not fit.
            field = "design/level" if isinstance(code.content, Link) else "content/text"
            raise InvalidValue(exc.reason, exc.detail, field=field) from exc


def _found(code: QrCode | None, code_id: QrCodeId) -> QrCode:
    if code is None:
        raise _missing(code_id)
    return code


def _missing(code_id: QrCodeId) -> NotFound:
    return NotFound.of("QR code", id_text("qr", code_id))
