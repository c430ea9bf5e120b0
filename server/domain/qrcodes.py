"""Use cases: QR codes."""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, cast

from server.domain.content import Content
from server.domain.design import Design
from server.domain.destination import Destination
from server.domain.errors import InvalidValue, NotCounted, NotFound, NotStatic
from server.domain.ids import id_text
from server.domain.label import Label
from server.domain.links import Links, retry_on_clash
from server.domain.model import AccountId, Image, Link, LinkId, Page, QrCode, QrCodeChanges, QrCodeId
from server.domain.ports import Artist, ImageFormat, QrCodeStore
from server.domain.slug import Slug
from server.domain.stats import Period, Stats


class QrCodes:
    """QR codes of an account, their images, and what is known of their scans."""

    def __init__(
        self,
        store: QrCodeStore,
        links: Links,
        artist: Artist,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], int],
        short_url: Callable[[Slug], str],
        changed: Callable[[Slug], Awaitable[None]],
    ) -> None:
        self._store = store
        self._links = links
        self._artist = artist
        self._now = now
        self._new_id = new_id
        self._short_url = short_url
        self._changed = changed

    async def create(
        self, account: AccountId, says: Destination | LinkId | Content, *, name: Label | None, design: Design
    ) -> QrCode:
        """A new code: dynamic with a link of its own (Destination) or a link there is (LinkId), or static (Content)."""
        if isinstance(says, Destination):
            destination = says

            async def add() -> QrCode:
                link = self._links.draft(account, destination, title=name)
                return await self._add(account, link, name, design, with_link=True)

            code = await retry_on_clash(add)
            assert isinstance(code.content, Link), "add() has made it so"
            await self._changed(code.content.slug)
            return code
        content = says if isinstance(says, Content) else await self._links.get(account, says)
        return await self._add(account, content, name, design, with_link=False)

    async def _add(
        self, account: AccountId, content: Link | Content, name: Label | None, design: Design, *, with_link: bool
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
        self._check(code)
        await self._store.add(code, with_link=with_link)
        return code

    async def get(self, account: AccountId, code_id: QrCodeId) -> QrCode:
        return _found(await self._store.get(account, code_id), code_id)

    async def list(self, account: AccountId, *, before: int | None, limit: int) -> Page[QrCode]:
        return await self._store.list(account, before=before, limit=limit)

    async def change(self, account: AccountId, code_id: QrCodeId, changes: QrCodeChanges) -> QrCode:
        if "design" in changes or "content" in changes:
            code = await self.get(account, code_id)
            if "content" in changes and isinstance(code.content, Link):
                raise NotStatic
            self._check(replace(code, **changes))
        return _found(await self._store.change(account, code_id, changes, self._now()), code_id)

    async def delete(self, account: AccountId, code_id: QrCodeId) -> None:
        """Its link stays, so that what is printed goes on working; whoever wants an end deletes the link."""
        if not await self._store.delete(account, code_id):
            raise _missing(code_id)

    async def draw(self, account: AccountId, code_id: QrCodeId, *, format: ImageFormat, size_px: int) -> Image:
        code = await self.get(account, code_id)
        return self._artist.draw(self.text(code), code.design, format=format, size_px=size_px)

    async def stats(self, account: AccountId, code_id: QrCodeId, period: Period) -> Stats:
        code = await self.get(account, code_id)
        if not isinstance(code.content, Link):
            raise NotCounted
        return await self._links.counted(code.content.id, period)

    def text(self, code: QrCode) -> str:
        """What the symbol says."""
        return self._short_url(code.content.slug) if isinstance(code.content, Link) else code.content.says

    def _check(self, code: QrCode) -> None:
        level = None if isinstance(code.content, Link) else code.content.level
        if level is not None and code.design.level not in (None, level):
            raise InvalidValue(
                "invalid_level", f"The standard of this content knows only level {level}.", field="design/level"
            )
        try:
            self._artist.check(self.text(code), code.design)
        except InvalidValue as exc:
            raise InvalidValue(exc.reason, exc.detail, field=_place_of_text(code.content)) from exc


def _place_of_text(content: Link | Content) -> str:
    """The field that decides how long the text is."""
    if isinstance(content, Link):
        return "design/level"  # the text is ours; then it is the level that does not fit
    names = [each.name for each in fields(cast("Any", content))]
    return f"content/{names[0]}" if len(names) == 1 else "content"


def _found(code: QrCode | None, code_id: QrCodeId) -> QrCode:
    if code is None:
        raise _missing(code_id)
    return code


def _missing(code_id: QrCodeId) -> NotFound:
    return NotFound.of("QR code", id_text("qr", code_id))
