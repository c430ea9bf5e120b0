"""Use cases: links."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from server.domain.destination import Destination
from server.domain.errors import ChangedMeanwhile, NotFound, SlugTaken
from server.domain.guards import NO_GUARDS, Guards
from server.domain.ids import id_text
from server.domain.label import Label
from server.domain.limits import allow_destination, allow_grouping, allow_guards
from server.domain.model import Account, AccountId, Link, LinkChanges, LinkId, Page
from server.domain.password import Password
from server.domain.ports import Hasher, LinkStore, StatsStore, Versions
from server.domain.selection import ALL_LINKS, LinkSelection, PageEnd
from server.domain.slug import Slug
from server.domain.stats import Asked, Stats
from server.domain.tag import Tag

T = TypeVar("T")

RANDOM_SLUG_TRIES = 5  # with a million links, five clashes in a row come once in 10^28 creations


class Links:
    """Links of an account, and what is known of their scans.

    `changed` is awaited after every change that is in the database and before it is answered, so that this
    process's next scan already sees it; other processes hear of it from the database.
    """

    def __init__(
        self,
        store: LinkStore,
        stats: StatsStore,
        hasher: Hasher,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], int],
        changed: Callable[[Slug], Awaitable[None]],
    ) -> None:
        self._store = store
        self._stats = stats
        self._hasher = hasher
        self._now = now
        self._new_id = new_id
        self._changed = changed

    def draft(
        self,
        account: AccountId,
        destination: Destination,
        *,
        slug: Slug | None = None,
        title: Label | None = None,
        tags: tuple[Tag, ...] = (),
        guards: Guards = NO_GUARDS,
    ) -> Link:
        """A new link that is stored nowhere yet."""
        now = self._now()
        return Link(
            id=LinkId(self._new_id()),
            account_id=account,
            slug=slug or Slug.random(),
            destination=destination,
            title=title,
            tags=tags,
            guards=guards,
            created_at=now,
            updated_at=now,
        )

    async def create(
        self,
        account: Account,
        destination: Destination,
        *,
        slug: Slug | None = None,
        title: Label | None = None,
        tags: tuple[Tag, ...] = (),
        guards: Guards = NO_GUARDS,
        password: Password | None = None,
    ) -> Link:
        """A new link, under a random slug when none is asked for; raises SlugTaken, PlanLimit, and Busy for a
        password."""
        guards = await self.guarded(account, guards, password)

        async def add() -> Link:
            link = self.draft(account.id, destination, slug=slug, title=title, tags=tags, guards=guards)
            await self._store.add(link, account.plan)
            return link

        link = await (add() if slug else retry_on_clash(add))
        await self._changed(link.slug)
        return link

    async def guarded(self, account: Account, guards: Guards, password: Password | None) -> Guards:
        """The guards of a new link, with its password; raises PlanLimit, and Busy for a password."""
        allow_guards(account.plan, password, guards.expires_at, guards.max_scans)
        if password is None:
            return guards
        return replace(guards, password_hash=await self._hasher.hash(password))

    async def get(self, account: AccountId, link_id: LinkId) -> Link:
        return _found(await self._store.get(account, link_id), link_id)

    async def list(
        self,
        account: AccountId,
        selection: LinkSelection = ALL_LINKS,
        *,
        after: PageEnd | None = None,
        limit: int,
    ) -> Page[Link, PageEnd]:
        return await self._store.list(account, selection, after=after, limit=limit)

    async def change(
        self,
        account: Account,
        link_id: LinkId,
        changes: LinkChanges,
        *,
        password: Password | None = None,
        only_if: Versions = None,
    ) -> Link:
        """With a new password, where one is given; raises Busy for that, PlanLimit, and ChangedMeanwhile."""
        allow_guards(account.plan, password, changes.get("expires_at"), changes.get("max_scans"))
        if "destination" in changes and account.plan.destination_edits is not None:
            link_now = await self.get(account.id, link_id)
            allow_destination(account.plan, link_now, changes["destination"])
            # Of two changes at a time the second one would have to be asked about again.
            only_if = [link_now.version] if only_if is None else only_if
        if password is not None:
            changes = {**changes, "password_hash": await self._hasher.hash(password)}
        link = await self._store.change(account.id, link_id, changes, self._now(), only_if)
        return await self._done(account.id, link_id, link)

    async def delete(self, account: AccountId, link_id: LinkId, *, only_if: Versions = None) -> None:
        """The slug answers 410 from now on and is never given away again: it may be on paper. Raises
        ChangedMeanwhile."""
        await self._done(account, link_id, await self._store.delete(account, link_id, self._now(), only_if))

    async def _done(self, account: AccountId, link_id: LinkId, link: Link | None) -> Link:
        """What was changed; raises, where nothing was, why not."""
        if link is None:
            await self.get(account, link_id)
            raise ChangedMeanwhile
        await self._changed(link.slug)
        return link

    async def restore(self, account: Account, link_id: LinkId) -> Link:
        """A deleted link is as it was; one that is not stays so. Raises PlanLimit."""
        link = await self._store.restore(account.id, link_id, account.plan, self._now())
        if link is None:
            return await self.get(account.id, link_id)
        await self._changed(link.slug)
        return link

    async def stats(self, account: Account, link_id: LinkId, asked: Asked) -> Stats:
        """Raises PlanLimit for places."""
        await self.get(account.id, link_id)
        return await self.counted(account, link_id, asked)

    async def counted(self, account: Account, link_id: LinkId, asked: Asked) -> Stats:
        """The scans of a link that is known to be the account's; also of one that was deleted."""
        allow_grouping(account.plan, asked.group_by)
        return await self._stats.of_link(account.id, link_id, asked)

    async def all_counted(self, account: Account, asked: Asked) -> Stats:
        """The scans of all the account's links."""
        allow_grouping(account.plan, asked.group_by)
        return await self._stats.of_account(account.id, asked)


async def retry_on_clash(add: Callable[[], Awaitable[T]]) -> T:
    """Calls `add`, which takes a random slug, until the slug was free."""
    for _ in range(RANDOM_SLUG_TRIES - 1):
        try:
            return await add()
        except SlugTaken:
            continue
    return await add()


def _found(link: Link | None, link_id: LinkId) -> Link:
    if link is None:
        raise NotFound.of("link", id_text("lnk", link_id))
    return link
