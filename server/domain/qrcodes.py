"""Use cases: QR codes."""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, cast

from server.domain.content import Content
from server.domain.design import Design
from server.domain.destination import Destination
from server.domain.errors import ChangedMeanwhile, InvalidValue, NotCounted, NotFound, NotStatic
from server.domain.guards import NO_GUARDS, Guards
from server.domain.ids import id_text
from server.domain.label import Label
from server.domain.limits import allow_design, allow_size
from server.domain.links import Links, retry_on_clash
from server.domain.model import Account, AccountId, Link, LinkId, Page, QrCode, QrCodeChanges, QrCodeId
from server.domain.order import DEFAULT_SIZE_PX, ImageFormat, Order
from server.domain.password import Password
from server.domain.ports import QrCodeStore, Versions
from server.domain.selection import ALL_CODES, PageEnd, QrCodeSelection
from server.domain.slug import Slug
from server.domain.stats import Asked, Stats
from server.domain.studio import Shown, Studio
from server.domain.tag import Tag

#: At this size a picture is checked before its code is stored; the one that is asked for is checked again.
CHECKED_PX = 1024

#: The changes after which a code's picture is another one.
OF_PICTURE = frozenset(["content", "design", "size_px", "format"])

ORDER_FIELDS = frozenset(["text", "size", "dpi"])


class QrCodes:
    """QR codes of an account, their images, and what is known of their scans."""

    def __init__(
        self,
        store: QrCodeStore,
        links: Links,
        studio: Studio,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], int],
        short_url: Callable[[Slug], str],
        changed: Callable[[Slug], Awaitable[None]],
        altered: Callable[[QrCodeId], None] = lambda code: None,
    ) -> None:
        """`altered` hears of codes whose picture may be another one by now."""
        self._store = store
        self._altered = altered
        self._links = links
        self._studio = studio
        self._now = now
        self._new_id = new_id
        self._short_url = short_url
        self._changed = changed

    async def create(
        self,
        account: Account,
        says: Destination | LinkId | Content,
        *,
        name: Label | None,
        tags: tuple[Tag, ...] = (),
        design: Design,
        size_px: int | None = None,
        format: ImageFormat = "png",
        allow_unscannable: bool = False,
        guards: Guards = NO_GUARDS,
        password: Password | None = None,
        new_slug: Callable[[], Slug] | None = None,
    ) -> QrCode:
        """A new code: dynamic with a link of its own (Destination) or a link there is (LinkId), or static (Content).
        A link of its own has the name and the tags of the code, these guards with this password, and a slug by
        `new_slug`, else a random one, which is asked for again when that is taken.

        Raises Unscannable for a picture that no reader would read, unless that is allowed, and PlanLimit.
        """

        async def add(content: Link | Content) -> QrCode:
            code = await self.draft(
                account,
                content,
                name=name,
                tags=tags,
                design=design,
                size_px=size_px,
                format=format,
                allow_unscannable=allow_unscannable,
            )
            await self._store.add(code, account.plan, with_link=isinstance(says, Destination))
            return code

        if isinstance(says, Destination):
            destination, guards = says, await self._links.guarded(account, guards, password)

            async def add_both() -> QrCode:
                slug = None if new_slug is None else new_slug()
                link = self._links.draft(account.id, destination, slug=slug, title=name, tags=tags, guards=guards)
                return await add(link)

            code = await retry_on_clash(add_both)
            assert isinstance(code.content, Link), "add_both() has made it so"
            await self._changed(code.content.slug)
            return code
        return await add(says if isinstance(says, Content) else await self._links.get(account.id, says))

    async def draft(
        self,
        account: Account,
        content: Link | Content,
        *,
        name: Label | None,
        tags: tuple[Tag, ...],
        design: Design,
        size_px: int | None = None,
        format: ImageFormat = "png",
        allow_unscannable: bool,
    ) -> QrCode:
        """A new code, proven to scan, that is stored nowhere yet."""
        allow_size(account.plan, size_px or 0, None)
        now = self._now()
        code = QrCode(
            id=QrCodeId(self._new_id()),
            account_id=account.id,
            name=name,
            tags=tags,
            content=content,
            design=design,
            size_px=size_px or min(DEFAULT_SIZE_PX, account.plan.size_px or DEFAULT_SIZE_PX),
            format=format,
            scans_before=content.scans if isinstance(content, Link) else 0,
            created_at=now,
            updated_at=now,
        )
        code = await self._completed(account, code)
        await self._prove(code, allow_unscannable)
        return code

    async def get(self, account: AccountId, code_id: QrCodeId) -> QrCode:
        return _found(await self._store.get(account, code_id), code_id)

    async def list(
        self,
        account: AccountId,
        selection: QrCodeSelection = ALL_CODES,
        *,
        after: PageEnd | None = None,
        limit: int,
        skip: int = 0,
    ) -> Page[QrCode, PageEnd]:
        """`skip` is for who knows pages by their number only: what comes or goes meanwhile moves all that follow."""
        return await self._store.list(account, selection, after=after, limit=limit, skip=skip)

    async def count(self, account: AccountId, selection: QrCodeSelection = ALL_CODES) -> int:
        return await self._store.count(account, selection)

    async def change(
        self,
        account: Account,
        code_id: QrCodeId,
        changes: QrCodeChanges,
        *,
        allow_unscannable: bool = False,
        only_if: Versions = None,
    ) -> QrCode:
        """Raises ChangedMeanwhile, and Unscannable as `create` does."""
        if changes.keys() & OF_PICTURE:
            code = await self.get(account.id, code_id)
            if only_if is not None and code.version not in only_if:
                raise ChangedMeanwhile  # before anything is drawn; what changes while it is, is seen below
            if "content" in changes and isinstance(code.content, Link):
                raise NotStatic
            if "size_px" in changes:
                allow_size(account.plan, changes["size_px"], None)
            code = replace(code, **changes)
            self._check(code)
            if "design" in changes:
                code = await self._completed(account, code)
                changes = {**changes, "design": code.design}
            if "design" in changes or "content" in changes:
                await self._prove(code, allow_unscannable)
        code_now = await self._store.change(account.id, code_id, changes, self._now(), only_if)
        return await self._done(account.id, code_id, code_now)

    async def delete(
        self, account: AccountId, code_id: QrCodeId, *, only_if: Versions = None, with_link: bool = False
    ) -> None:
        """Its link stays, so that what is printed goes on working; `with_link` ends that, unless there are other codes
        of the link. Raises ChangedMeanwhile."""
        if with_link:
            await self._delete_link(account, await self.get(account, code_id))
        await self._done(account, code_id, await self._store.delete(account, code_id, self._now(), only_if))

    async def _delete_link(self, account: AccountId, code: QrCode) -> None:
        link = code.content
        if not isinstance(link, Link) or link.deleted_at is not None:
            return
        if await self.count(account, QrCodeSelection(link_id=link.id)) == 1:
            await self._links.delete(account, link.id)

    async def _done(self, account: AccountId, code_id: QrCodeId, code: QrCode | None) -> QrCode:
        """What was changed; raises, where nothing was, why not."""
        self._altered(code_id)
        if code is None:
            await self.get(account, code_id)
            raise ChangedMeanwhile
        return code

    async def restore(self, account: Account, code_id: QrCodeId) -> QrCode:
        """A deleted code is as it was; one that is not stays so. Raises PlanLimit."""
        code = await self._store.restore(account.id, code_id, account.plan, self._now())
        return code or await self.get(account.id, code_id)

    async def show(
        self,
        account: Account,
        code_id: QrCodeId,
        *,
        format: ImageFormat | None = None,
        size_px: int | None = None,
        dpi: float | None = None,
        allow_unscannable: bool = False,
    ) -> Shown:
        """In the code's own format and size, where none is given. Raises PlanLimit for a size that is. What a code has
        been given before its account had this plan, it keeps."""
        allow_size(account.plan, size_px or 0, dpi)
        code = await self.get(account.id, code_id)
        order = self.order(code.content, code.design)._replace(
            format=format or code.format,
            size_px=size_px or code.size_px,
            dpi=dpi,
        )
        return self._studio.show(order, account.id, allow_unscannable=allow_unscannable)

    async def show_to_anyone(self, code_id: QrCodeId, *, format: ImageFormat) -> Shown:
        """The picture of a code as it is stored; also of one that does not scan, as that was allowed then."""
        code = await self._store.find(code_id)
        if code is None:
            raise NotFound(f"There is no QR code {id_text('qr', code_id)!r}.")
        order = self.order(code.content, code.design)._replace(format=format, size_px=code.size_px)
        return self._studio.show(order, code.account_id, allow_unscannable=True)

    async def stats(self, account: Account, code_id: QrCodeId, asked: Asked) -> Stats:
        """Raises PlanLimit for places."""
        code = await self.get(account.id, code_id)
        if not isinstance(code.content, Link):
            raise NotCounted
        return await self._links.counted(account, code.content.id, asked)

    def order(self, content: Link | Content, design: Design) -> Order:
        """What a code's symbol says, in its design."""
        if isinstance(content, Link):
            return Order(text=self._short_url(content.slug), design=design)
        return order_of(content, design)

    async def _completed(self, account: Account, code: QrCode) -> QrCode:
        """The code with the pictures of its design, of which none is fetched for what cannot be drawn anyway."""
        allow_design(account.plan, code.design)
        self._check(code)
        with ToldByField(code.content):
            return replace(code, design=await self._studio.complete(code.design, account.id))

    def _check(self, code: QrCode) -> None:
        with ToldByField(code.content):
            order = self.order(code.content, code.design)
            self._studio.check(order._replace(size_px=CHECKED_PX))
            self._studio.check(order._replace(size_px=code.size_px, format=code.format))

    async def _prove(self, code: QrCode, allow_unscannable: bool) -> None:
        if allow_unscannable:
            return  # whatever was found, nobody would hear of it
        with ToldByField(code.content):
            order = self.order(code.content, code.design)._replace(size_px=CHECKED_PX)
            await self._studio.prove(order, code.account_id, allow_unscannable=False)


def order_of(
    content: Content,
    design: Design,
    *,
    format: ImageFormat = "png",
    size_px: int = DEFAULT_SIZE_PX,
    dpi: float | None = None,
) -> Order:
    """A picture of a content. Some kinds may only be drawn at one level."""
    if content.level is not None:
        if design.level not in (None, content.level):
            raise InvalidValue(
                "invalid_level",
                f"The standard of this content knows only level {content.level}.",
                field="design/level",
            )
        design = replace(design, level=content.level)
    return Order(content.says, design, format, size_px, dpi)


class ToldByField:
    """Within it, what is wrong with an order is put to the fields that a request gave."""

    __slots__ = ("_content",)

    def __init__(self, content: Link | Content) -> None:
        self._content = content

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if not isinstance(exc, InvalidValue) or exc.field is None or exc.field.startswith("design/"):
            return
        place = exc.field if exc.field in ORDER_FIELDS else f"design/{exc.field}"
        if exc.field == "text":
            place = _place_of_text(self._content)
        raise type(exc)(exc.reason, exc.detail, field=place) from exc


def _place_of_text(content: Link | Content) -> str:
    """The field that decides how long the text is."""
    if isinstance(content, Link):
        return "design/level"  # the text is ours; then it is the level that does not fit
    names = [each.name for each in fields(cast("Any", content))]
    return f"content/{names[0]}" if len(names) == 1 else "content"


def _found(code: QrCode | None, code_id: QrCodeId) -> QrCode:
    if code is None:
        raise NotFound.of("QR code", id_text("qr", code_id))
    return code
