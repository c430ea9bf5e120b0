"""The link table in memory is right whatever comes in which order."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from server.domain.decide import GuardedLink
from server.domain.errors import StorageUnavailable
from server.domain.guards import Guards
from server.domain.model import LinkId, Target, Targets
from server.edge.cache import GONE, MAX_UNKNOWN, LinkCache

pytestmark = pytest.mark.anyio


Json = dict[str, object]

URL = "https://a.example/"


def page_of(targets: list[Target]) -> Targets:
    plain = [target for target in targets if not target.deleted and not target.guards and is_plain(target.destination)]
    return Targets(
        [target.slug for target in plain],
        [target.link_id.to_bytes(8, "little") + target.destination.encode() for target in plain],
        [target for target in targets if target not in plain],
    )


def is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


class Table:
    """A link table whose answers can be held back: the one thing a real database does not let a test decide."""

    def __init__(self, **links: str) -> None:
        self.links = {slug: Target(LinkId(1), slug, url, deleted=False) for slug, url in links.items()}
        self.queries: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.down = self.broken = False
        self.page = 1000

    async def all(self, limit: int) -> AsyncIterator[Targets]:
        targets = list(self.links.values())[-limit:]
        await self.open.wait()
        for begin in range(0, len(targets), self.page):
            if self.down:
                raise StorageUnavailable
            yield page_of(targets[begin : begin + self.page])

    async def some(self, slugs: list[str]) -> list[Target]:
        self.queries.append(sorted(slugs))
        if self.down:
            raise StorageUnavailable
        if self.broken:
            raise RuntimeError("relation does not exist")
        found = [self.links[slug] for slug in slugs if slug in self.links]
        await self.open.wait()
        return found

    def set(self, slug: str, url: str, *, deleted: bool = False, guards: Json | None = None) -> None:
        self.links[slug] = Target(LinkId(1), slug, url, deleted, guards)


def cache_of(table: Table, max_links: int = 1000, reports: list[str] | None = None) -> LinkCache:
    return LinkCache(table, max_links=max_links, report=(reports if reports is not None else []).append)


async def test_an_entry_is_the_id_and_the_destination() -> None:
    cache = cache_of(Table(a="https://a.example/"))
    await cache.load()
    assert cache.live == {"a": b"\x01\0\0\0\0\0\0\0https://a.example/"}


async def test_a_deleted_link_is_gone_and_an_unknown_one_none() -> None:
    table = Table(a="https://a.example/")
    table.set("a", "https://a.example/", deleted=True)
    cache = cache_of(table)
    await cache.load()
    assert await cache.resolve("a") == GONE
    assert await cache.resolve("b") is None
    assert table.queries == [["b"]]


async def test_many_scans_of_a_slug_that_is_not_in_memory_are_few_queries() -> None:
    table = Table()
    cache = cache_of(table)
    table.set("new", "https://new.example/")
    entries = await asyncio.gather(*(cache.resolve("new") for _ in range(100)))
    assert set(entries) == {b"\x01\0\0\0\0\0\0\0https://new.example/"}
    assert len(table.queries) <= 2


async def test_an_unknown_slug_is_asked_for_once_until_it_is_made() -> None:
    table = Table()
    cache = cache_of(table)
    for _ in range(3):
        assert await cache.resolve("later") is None
    assert len(table.queries) == 1
    table.set("later", "https://later.example/")
    await cache.refresh(["later"])
    assert await cache.resolve("later") == b"\x01\0\0\0\0\0\0\0https://later.example/"


async def test_an_answer_from_before_a_change_never_outlives_it() -> None:
    table = Table(a="https://old.example/")
    cache = cache_of(table)
    table.open.clear()
    early = asyncio.create_task(cache.refresh(["a"]))
    while not table.queries:
        await asyncio.sleep(0)
    table.set("a", "https://new.example/")  # committed while the first answer is on its way
    late = asyncio.create_task(cache.refresh(["a"]))
    await asyncio.sleep(0)
    table.open.set()
    await asyncio.gather(early, late)
    assert cache.live["a"][8:] == b"https://new.example/"


async def test_a_change_during_a_load_is_not_undone_by_it() -> None:
    table = Table(a="https://old.example/", b="https://b.example/")
    cache = cache_of(table)
    table.open.clear()
    load = asyncio.create_task(cache.load())
    await asyncio.sleep(0)
    table.set("a", "https://new.example/")
    table.set("b", "https://b.example/", deleted=True)
    refresh = asyncio.create_task(cache.refresh(["a", "b"]))
    table.open.set()
    await refresh
    await load
    assert cache.live["a"][8:] == b"https://new.example/"
    assert await cache.resolve("b") == GONE
    assert "b" not in cache.live


async def test_a_load_forgets_what_is_not_there_any_more() -> None:
    table = Table(a="https://a.example/", b="https://b.example/")
    cache = cache_of(table)
    await cache.load()
    del table.links["a"]
    await cache.load()
    assert list(cache.live) == ["b"]


async def test_a_load_takes_what_it_finds_as_it_was_and_only_looks_at_what_it_does_not_find() -> None:
    table = Table(**{f"s{number}": URL for number in range(100)})
    table.page = 10
    table.set("s50", URL, deleted=True)
    table.set("s60", URL, guards={"active": False})
    cache = cache_of(table)
    await cache.load()
    kept = cache.live["s99"]
    await cache.load()
    assert cache.live["s99"] is kept
    assert table.queries == []

    del table.links["s5"], table.links["s50"], table.links["s60"]
    table.set("new", URL)
    await cache.refresh(["new"])
    table.set("s7", "https://b.example/")
    await cache.load()
    assert table.queries == [["new"], ["s5", "s50", "s60"]]
    assert cache.live.keys() == table.links.keys()
    assert cache.live["s7"][8:] == b"https://b.example/"
    assert [await cache.resolve(slug) for slug in ("s5", "s50", "s60")] == [None, None, None]

    del table.links["new"]
    await cache.load()
    assert "new" not in cache.live


async def test_a_load_that_breaks_off_leaves_no_link_that_is_gone_to_the_next() -> None:
    table = Table(**{f"s{number}": URL for number in range(50)})
    table.page = 10
    cache = cache_of(table)
    await cache.load()
    for slug in ("s3", "s33"):
        del table.links[slug]
    broken = aiter(table.all(1000))
    table.all = lambda limit: two_pages(broken)  # type: ignore[method-assign]
    with pytest.raises(StorageUnavailable):
        await cache.load()
    assert len(cache) == 50
    del table.all
    await cache.load()
    assert cache.live.keys() == table.links.keys()


async def two_pages(pages: AsyncIterator[Targets]) -> AsyncIterator[Targets]:
    for _ in range(2):
        yield await anext(pages)
    raise StorageUnavailable


async def test_what_was_not_there_is_looked_for_again_after_a_load() -> None:
    table = Table()
    cache = cache_of(table)
    assert await cache.resolve("later") is None
    await cache.load()
    table.set("later", URL)  # nobody tells
    assert await cache.resolve("later")


async def test_what_a_load_brings_is_what_the_garbage_collector_does_not_track() -> None:
    cache = cache_of(Table(a=URL, b=URL))
    await cache.load()
    assert not any(gc.is_tracked(each) for entry in cache.live.items() for each in entry)
    assert not gc.is_tracked(cache.live)


async def test_a_snapshot_serves_until_the_database_does_and_never_after() -> None:
    table, old = Table(a="https://new.example/", c=URL), Table(a="https://old.example/", b=URL)
    cache = cache_of(table)
    await cache.load_snapshot(old)
    assert (cache.source, cache.live["a"][8:]) == ("snapshot", b"https://old.example/")
    await cache.load()
    assert (cache.source, cache.live["a"][8:]) == ("database", b"https://new.example/")
    assert cache.live.keys() == {"a", "c"}
    await cache.load_snapshot(old)
    assert (cache.source, cache.live["a"][8:]) == ("database", b"https://new.example/")


async def test_unknown_slugs_in_memory_are_bounded() -> None:
    cache = cache_of(Table())
    await cache.refresh(f"s{number}" for number in range(MAX_UNKNOWN + 1000))
    assert len(cache) == 0
    assert len(cache._unknown) <= MAX_UNKNOWN


async def test_a_database_that_is_down_leaves_everything_in_use() -> None:
    table = Table(a="https://a.example/")
    cache = cache_of(table)
    await cache.load()
    table.down = True
    with pytest.raises(StorageUnavailable):
        await cache.resolve("b")
    with pytest.raises(StorageUnavailable):
        await cache.refresh(["a"])
    assert cache.live["a"][8:] == b"https://a.example/"
    table.down = False
    assert await cache.resolve("b") is None


async def test_an_error_nobody_thought_of_reaches_all_who_wait_and_ends_with_its_cause() -> None:
    table, reports = Table(a="https://a.example/"), list[str]()
    cache = cache_of(table, reports=reports)
    table.broken = True
    with pytest.raises(StorageUnavailable):
        await asyncio.wait_for(cache.resolve("a"), 5)
    assert "relation does not exist" in reports[0]
    table.broken = False
    assert await cache.resolve("a")


async def test_a_destination_put_in_by_hand_is_mapped_or_left_out_and_keeps_no_other_from_loading() -> None:
    reports: list[str] = []
    table = Table(a="https://a.example/ü", b="https://b.example/\r\nSet-Cookie: x", c="https://c.example/")
    cache = cache_of(table, reports=reports)
    await cache.load()
    assert {slug: entry[8:] for slug, entry in cache.live.items()} == {
        "a": b"https://a.example/%C3%BC",
        "c": b"https://c.example/",
    }
    assert await cache.resolve("b") is None
    assert "the destination of b cannot be used" in reports[0]


async def test_an_answer_from_before_a_load_does_not_undo_it() -> None:
    table = Table(a="https://old.example/")
    cache = cache_of(table)
    table.open.clear()
    early = asyncio.create_task(cache.refresh(["a"]))
    while not table.queries:
        await asyncio.sleep(0)
    answering, table.open = table.open, asyncio.Event()
    table.open.set()
    table.set("a", "https://new.example/")
    await cache.load()
    answering.set()
    await early
    assert cache.live["a"][8:] == b"https://new.example/"


async def test_memory_is_bounded_and_what_is_dropped_is_found_again() -> None:
    table = Table(**{f"s{number}": "https://example.com/" for number in range(50)})
    cache = cache_of(table, max_links=32)
    await cache.load()
    assert len(cache.live) == 32
    for number in range(50):
        assert await cache.resolve(f"s{number}") if f"s{number}" not in cache.live else True
        assert len(cache.live) <= 32
    await cache.refresh(f"s{number}" for number in range(50))  # more at once than there is room for
    assert len(cache.live) <= 32


async def test_a_link_with_guards_is_kept_apart_from_plain_ones_and_found_like_them() -> None:
    table = Table(plain=URL)
    table.set("paused", URL, guards={"active": False, "expires_at": None})
    table.set("moved", URL, deleted=True, guards={"active": True, "fallback_url": "https://b.example/"})
    table.set("idle", URL, guards={"active": True, "fallback_url": "https://b.example/"})
    cache = cache_of(table)
    await cache.load()
    assert sorted(cache.live) == ["idle", "plain"]
    assert len(cache) == 4
    paused, moved = await cache.resolve("paused"), await cache.resolve("moved")
    assert isinstance(paused, GuardedLink)
    assert (paused.guards, paused.deleted) == (Guards(active=False), False)
    assert isinstance(moved, GuardedLink)
    assert moved.deleted
    assert table.queries == []


async def test_guards_that_come_and_go_move_a_link_from_one_table_to_the_other() -> None:
    table = Table(a=URL)
    cache = cache_of(table)
    await cache.load()
    for _ in range(2):
        table.set("a", URL, guards={"forward_query": True})
        await cache.refresh(["a"])
        assert "a" not in cache.live
        assert isinstance(await cache.resolve("a"), GuardedLink)
        table.set("a", URL)
        await cache.refresh(["a"])
        assert cache.live["a"][8:] == URL.encode()
        assert len(cache) == 1
    table.open.clear()
    load = asyncio.create_task(cache.load())
    await asyncio.sleep(0)
    table.set("a", URL, guards={"forward_query": True})
    refresh = asyncio.create_task(cache.refresh(["a"]))
    table.open.set()
    await asyncio.gather(load, refresh)
    assert "a" not in cache.live
    assert isinstance(await cache.resolve("a"), GuardedLink)


@pytest.mark.parametrize(
    ("guards", "field"),
    [
        ({"redirect_status": 200}, "redirect_status"),
        ({"expires_at": "infinity"}, "expires_at"),
        ({"expires_at": "0044-03-15T12:00:00+00:00 BC"}, "expires_at"),
        ({"fallback_url": "javascript:alert(1)"}, "fallback_url"),
    ],
    ids=str,
)
async def test_guards_put_in_by_hand_that_are_none_leave_their_link_out_and_are_told_of(
    guards: Json, field: str
) -> None:
    reports: list[str] = []
    table = Table(b="https://b.example/")
    table.set("a", URL, guards=guards)
    cache = cache_of(table, reports=reports)
    await cache.load()
    assert list(cache.live) == ["b"]
    assert await cache.resolve("a") is None
    assert f"the {field} of a cannot be used" in reports[0]
