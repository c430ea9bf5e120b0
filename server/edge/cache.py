"""The link table in memory.

Every plain link is one `bytes` object: its id in eight bytes, as the journal wants it, then its destination, as the
Location header wants it. The garbage collector does not track bytes or str, so a million links cost it nothing, and
together with the dict they take about 180 bytes each for a destination of 35. A link with guards is a `GuardedLink`,
in a dict of its own, so that a scan of a plain one need not ask which it is.

Kept right from outside: `load` when anything may have changed, `refresh` for what has. An entry that has changed is
used until its successor is here, so a known link needs no database. Only past `max_links` are entries dropped.

A load puts right what is there, a page at a time, and never has a second table: to fill one, or to drop one, takes a
tenth of a second in one piece in which nobody is redirected. What it has not found is looked for by `refresh`.
Measured by bench/links.py.
"""

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice
from time import monotonic
from typing import Literal

from server.domain.decide import GuardedLink
from server.domain.destination import Destination
from server.domain.errors import InvalidValue, StorageUnavailable
from server.domain.guards import NO_GUARDS, Guards
from server.domain.model import ID_BYTES, Target, Targets
from server.domain.ports import TargetSource, TargetStore
from server.edge.roll import Roll

GONE = b""  # in place of an entry: the link was deleted

MAX_UNKNOWN = 100_000

#: Slugs that are read, and links with guards that a load looks at, before others have their turn.
SLICE = 500
GUARDED_SLICE = 20

#: A plain link, GONE, or one with guards.
Entry = bytes | GuardedLink


class _Batch:
    """Slugs to be read by one query; afterwards what was found of each, or why nothing could be."""

    def __init__(self) -> None:
        self.slugs: set[str] = set()
        self.found: dict[str, Entry | None] = {}
        self.error: StorageUnavailable | None = None
        self.done = asyncio.Event()


class LinkCache:
    """Slug -> entry, for up to `max_links` links."""

    def __init__(self, store: TargetStore, *, max_links: int, report: Callable[[str], None]) -> None:
        """`report` takes what should not happen, in words for the log."""
        self._store = store
        self._max_links = max_links
        self._report = report
        #: Links that redirect. Read by the hot path at every request.
        self.live: dict[str, bytes] = {}
        self._guarded: dict[str, GuardedLink] = {}
        #: Slugs of deleted links, and slugs that no link ever had.
        self._gone: dict[str, None] = {}
        self._unknown: dict[str, None] = {}
        #: Where what is in memory has come from at first; None as long as nothing has.
        self.source: Literal["database", "snapshot"] | None = None
        self._loading = asyncio.Lock()
        #: Grows when a load begins: what was asked for before may be older than what it brings.
        self._loads = 0
        #: Slugs refreshed while a load is under way; None at other times.
        self._touched: set[str] | None = None
        self._roll = Roll()
        self._next = _Batch()
        self._reader: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        return self.source is not None

    def __len__(self) -> int:
        """The links that are in memory and were not deleted."""
        return len(self.live) + len(self._guarded)

    async def load(self) -> None:
        """Reads the whole table from the database, at half speed once there are links to redirect. Raises
        StorageUnavailable, and then some of it is read. Until it is through, what was known before stays in use."""
        async with self._loading:
            await self._load(self._store)
            self.source = "database"

    async def load_snapshot(self, snapshot: TargetSource) -> None:
        """Reads what the table once was, unless there is better."""
        async with self._loading:
            if not self.loaded:
                await self._load(snapshot)
                self.source = "snapshot"

    async def _load(self, source: TargetSource) -> None:
        self._loads += 1
        self._unknown = {}
        touched = self._touched = set()
        self._roll.begin()
        began = monotonic()
        try:
            async for targets in source.all(self._max_links):
                await self._put_page(targets, touched)
                self._roll.answer([*targets.slugs, *(target.slug for target in targets.others)])
                if self.loaded:  # those who are being redirected have the processor for as long as this had it
                    await asyncio.sleep(monotonic() - began)
                    began = monotonic()
            missing = self._roll.missing()
            await self.refresh(slug for slug in missing if slug not in touched and self._known(slug))
            self._roll.end()
        except BaseException:
            self._roll.break_off()
            raise
        finally:
            self._touched = None

    async def _put_page(self, targets: Targets, touched: set[str]) -> None:
        """Puts right what a load has brought, but for what was refreshed since it began, which is newer."""
        slugs, entries, others = targets
        if not touched.isdisjoint(slugs):
            kept = [(slug, entry) for slug, entry in zip(slugs, entries, strict=True) if slug not in touched]
            slugs, entries = [slug for slug, _ in kept], [entry for _, entry in kept]
        if list(map(self.live.get, slugs)) != entries:
            self.live.update(zip(slugs, entries, strict=True))
            for table in (self._guarded, self._gone, self._unknown):
                for slug in table.keys() & slugs:
                    del table[slug]
        for place, target in enumerate(others):
            if place % GUARDED_SLICE == 0:
                await asyncio.sleep(0)
            if target.slug not in touched:
                self._put(target.slug, self._entry(target))
        self._shrink()

    async def refresh(self, slugs: Iterable[str]) -> None:
        """Reads these links anew; raises StorageUnavailable. When it returns, what was committed before it was called
        is in use.

        One query runs at a time, and whatever is asked for meanwhile goes into the next: so an older answer never
        comes behind a newer one, and a flood of unknown slugs is few queries.
        """
        rest = iter(slugs)
        while some := list(islice(rest, SLICE)):
            await self._ask(some)

    async def resolve(self, slug: str) -> Entry | None:
        """Any slug: its entry, or None for a slug that no link ever had; raises StorageUnavailable. The database is
        not asked again for a slug it said no to.
        """
        entry = self.live.get(slug) or self._guarded.get(slug)
        if entry is not None:
            return entry
        if slug in self._gone:
            return GONE
        if slug in self._unknown:
            return None
        return (await self._ask([slug])).found[slug]

    async def _ask(self, slugs: Iterable[str]) -> _Batch:
        batch = self._next
        batch.slugs.update(slugs)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        await batch.done.wait()
        if batch.error is not None:
            raise batch.error
        return batch

    async def _read(self) -> None:
        while self._next.slugs:
            batch, self._next = self._next, _Batch()
            try:
                await self._read_batch(batch)
            except StorageUnavailable as exc:
                batch.error = exc
            except Exception as exc:  # whatever it is, those who wait for this batch have to hear of it
                self._report(f"links cannot be read: {exc!r}")
                batch.error = StorageUnavailable()
            batch.done.set()

    async def _read_batch(self, batch: _Batch) -> None:
        loads = -1
        while loads != self._loads:  # an answer from before a load is older than what the load brings
            loads = self._loads
            targets = await self._store.some(list(batch.slugs))
        batch.found = dict.fromkeys(batch.slugs) | {target.slug: self._entry(target) for target in targets}
        for slug, entry in batch.found.items():
            if entry is not None and not self._known(slug):
                self._roll.join(slug)
            self._put(slug, entry)
        if self._touched is not None:
            self._touched |= batch.slugs
        self._shrink()

    def _known(self, slug: str) -> bool:
        return slug in self.live or slug in self._guarded or slug in self._gone

    def _put(self, slug: str, entry: Entry | None) -> None:
        tables: list[dict[str, bytes] | dict[str, GuardedLink] | dict[str, None]]
        if isinstance(entry, GuardedLink):
            self._guarded[slug] = entry
            tables = [self.live, self._gone, self._unknown]
        elif entry:
            self.live[slug] = entry
            tables = [self._guarded, self._gone, self._unknown]
        elif entry == GONE:
            self._gone[slug] = None
            tables = [self.live, self._guarded, self._unknown]
        else:
            self._unknown[slug] = None
            tables = [self.live, self._guarded, self._gone]
        for table in tables:
            table.pop(slug, None)

    def _shrink(self) -> None:
        _shrink(self.live, self._max_links)
        _shrink(self._guarded, self._max_links)
        _shrink(self._gone, self._max_links)
        _shrink(self._roll.joined, 2 * self._max_links)
        _shrink(self._unknown, MAX_UNKNOWN)

    def _entry(self, target: Target) -> Entry | None:
        """The link as a scan wants it; GONE for a deleted one that leads nowhere.

        What no API of ours has checked is checked here: somebody may have put it in by SQL. A link that cannot be used
        is as if it were not there, and must not keep others from being loaded.
        """
        try:
            return _entry(target)
        except InvalidValue as exc:
            what = exc.field or "destination"
            self._report(f"the {what} of {target.slug} cannot be used: {exc}")
            return None


def _entry(target: Target) -> Entry:
    guards = NO_GUARDS if target.guards is None else Guards.stored(target.guards)
    if target.deleted and guards.fallback_url is None:
        return GONE
    destination = target.destination
    if not (destination.isascii() and destination.isprintable()):
        destination = Destination(destination)
    if target.deleted or not guards.none:
        return GuardedLink(
            link_id=target.link_id,
            destination=Destination.stored(destination),
            guards=guards,
            deleted=target.deleted,
        )
    return target.link_id.to_bytes(ID_BYTES, "little") + destination.encode()


def _shrink(table: dict[str, bytes] | dict[str, GuardedLink] | dict[str, None], most: int) -> None:
    """Drops the oldest down to a sixteenth below `most`: one by one, each would be searched for past those dropped
    before."""
    if len(table) > most:
        for slug in list(islice(table, len(table) - most + most // 16)):
            del table[slug]
