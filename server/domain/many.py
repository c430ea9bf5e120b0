"""Use cases: many links or codes at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from server.domain.content import Content
from server.domain.design import Design
from server.domain.destination import Destination
from server.domain.errors import Busy, DomainError, InvalidValue, NotFound, PlanLimit, SlugTaken
from server.domain.guards import NO_GUARDS, Guards
from server.domain.ids import id_text
from server.domain.label import Label
from server.domain.limits import allow_guards
from server.domain.links import RANDOM_SLUG_TRIES, Links
from server.domain.model import Account, Link, LinkId, QrCode
from server.domain.order import ImageFormat
from server.domain.password import Password
from server.domain.ports import Hasher, LinkStore, QrCodeStore
from server.domain.qrcodes import QrCodes
from server.domain.slug import Slug
from server.domain.tag import Tag
from server.domain.turns import in_turns

T = TypeVar("T")

#: What becomes of each of many, by its place: the thing, or why there is none.
Outcomes = dict[int, T | DomainError]

#: Of one request, as each takes 20 ms to hash.
MAX_PASSWORDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A link that is wanted."""

    destination: Destination
    slug: Slug | None = None
    title: Label | None = None
    tags: tuple[Tag, ...] = ()
    guards: Guards = NO_GUARDS
    password: Password | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """A code that is wanted."""

    says: Destination | LinkId | Content
    name: Label | None
    tags: tuple[Tag, ...] = ()
    design: Design
    size_px: int | None = None
    format: ImageFormat = "png"
    allow_unscannable: bool = False


class Many:
    """Makes many things of an account by few statements, and either all of them or those that can be.

    `changed` is told of the slugs of all new links, as `Links` tells of one.
    """

    def __init__(
        self,
        links: Links,
        codes: QrCodes,
        link_store: LinkStore,
        code_store: QrCodeStore,
        hasher: Hasher,
        *,
        changed: Callable[[Sequence[Slug]], Awaitable[None]],
    ) -> None:
        self._links = links
        self._codes = codes
        self._link_store = link_store
        self._code_store = code_store
        self._hasher = hasher
        self._changed = changed

    # --- links ---

    async def refused_links(self, account: Account, wanted: Mapping[int, NewLink]) -> dict[int, DomainError]:
        """Which of them cannot be made, as far as that is known before."""
        refused: dict[int, DomainError] = {}
        taken = await self._link_store.taken([each.slug for each in wanted.values() if each.slug])
        passwords = 0
        async for place, each in in_turns(wanted.items()):
            passwords += each.password is not None
            try:
                allow_guards(account.plan, each.password, each.guards.expires_at, each.guards.max_scans)
            except PlanLimit as exc:
                refused[place] = exc
            if each.slug in taken:
                refused[place] = SlugTaken.of(each.slug)
            elif each.password and passwords > MAX_PASSWORDS:
                detail = f"At most {MAX_PASSWORDS} links with a password are made at once."
                refused[place] = InvalidValue("too_many", detail, field="password")
            if each.slug:
                taken.add(each.slug)
        return refused

    async def create_links(self, account: Account, wanted: Mapping[int, NewLink], *, whole: bool) -> Outcomes[Link]:
        """What becomes of each. Where `whole`, all are links; or none is, and there are only those that are why."""
        outcomes: Outcomes[Link] = {**await self.refused_links(account, wanted)}
        if whole and outcomes:
            return outcomes
        free = ((place, each) for place, each in wanted.items() if place not in outcomes)
        guards = {place: await self._guards(each) async for place, each in in_turns(free)}
        left = list(guards)
        for _ in range(RANDOM_SLUG_TRIES):
            if not left:
                break
            drafts = {place: self._draft(account, wanted[place], guards[place]) async for place in in_turns(left)}
            refused = await self._link_store.add_many(list(drafts.values()), account.plan, whole=whole)
            again = []
            for place, link in drafts.items():
                why = refused.get(link.id)
                if isinstance(why, SlugTaken) and not wanted[place].slug:
                    again.append(place)
                elif why is not None or not (whole and refused):
                    outcomes[place] = why or link
            if whole and refused and outcomes:
                return outcomes
            left = left if whole and again else again
        _give_up(outcomes, left, whole=whole)
        await self._changed([made.slug for made in outcomes.values() if isinstance(made, Link)])
        return outcomes

    def _draft(self, account: Account, each: NewLink, guards: Guards) -> Link:
        return self._links.draft(
            account.id, each.destination, slug=each.slug, title=each.title, tags=each.tags, guards=guards
        )

    async def _guards(self, each: NewLink) -> Guards:
        if each.password is None:
            return each.guards
        return replace(each.guards, password_hash=await self._hasher.hash(each.password))

    # --- codes ---

    async def known_links(self, account: Account, wanted: Iterable[NewCode]) -> dict[LinkId, Link]:
        """The links that codes are wanted for, as far as there are any."""
        ids = {each.says for each in wanted if isinstance(each.says, int)}
        return {link.id: link for link in await self._link_store.some(account.id, list(ids))} if ids else {}

    async def draft_code(self, account: Account, each: NewCode, links: Mapping[LinkId, Link]) -> QrCode:
        """A code that is stored nowhere yet, with its proof. Raises what `QrCodes.create` raises."""
        return await self._codes.draft(
            account,
            self._content(account, each, links),
            name=each.name,
            tags=each.tags,
            design=each.design,
            size_px=each.size_px,
            format=each.format,
            allow_unscannable=each.allow_unscannable,
        )

    def _content(self, account: Account, each: NewCode, links: Mapping[LinkId, Link]) -> Link | Content:
        if isinstance(each.says, Destination):
            return self._links.draft(account.id, each.says, title=each.name, tags=each.tags)
        if isinstance(each.says, int):
            if each.says not in links:
                raise NotFound.of("link", id_text("lnk", each.says))
            return links[each.says]
        return each.says

    async def add_codes(
        self, account: Account, wanted: Mapping[int, NewCode], drafts: Mapping[int, QrCode], *, whole: bool
    ) -> Outcomes[QrCode]:
        """What becomes of each, as in `create_links`. A code whose random slug is taken gets another one, and needs no
        new proof: it is of the same length, so its symbol is of the same version in the same design. What is shown
        is proven anyway."""
        outcomes: Outcomes[QrCode] = {}
        left = dict(drafts)
        for _ in range(RANDOM_SLUG_TRIES):
            if not left:
                break
            own = [code.id for place, code in left.items() if isinstance(wanted[place].says, Destination)]
            refused = await self._code_store.add_many(list(left.values()), account.plan, with_link=own, whole=whole)
            again = {}
            for place, code in left.items():
                why = refused.get(code.id)
                if isinstance(why, SlugTaken) and isinstance(code.content, Link):
                    again[place] = replace(code, content=replace(code.content, slug=Slug.random()))
                elif why is not None or not (whole and refused):
                    outcomes[place] = why or code
            if whole and refused and outcomes:
                return outcomes
            left = {**left, **again} if whole and again else again
        _give_up(outcomes, left, whole=whole)
        made = [code.content for code in outcomes.values() if isinstance(code, QrCode)]
        await self._changed([link.slug for link in made if isinstance(link, Link)])
        return outcomes


def _give_up(outcomes: Outcomes[T], left: Iterable[int], *, whole: bool) -> None:
    """What is left had a slug that was taken each time."""
    for place in left:
        if whole:
            raise Busy
        outcomes[place] = Busy()
