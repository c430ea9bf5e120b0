"""Pages of links and codes, in every order, while things come, go and change."""

import random
from typing import get_args

import pytest

from server.domain.content import Text
from server.domain.design import Design
from server.domain.destination import Destination
from server.domain.label import Label
from server.domain.model import Link, LinkId, Page, QrCode, QrCodeId
from server.domain.selection import LinkSelection, LinkSort, PageEnd, QrCodeSelection, QrCodeSort, SortKey
from tests.domain.conftest import Desk

pytestmark = pytest.mark.anyio

HERE = Destination("https://example.com/here")
TITLES = [None, Label("menu"), Label("Menu"), Label("Äpfel"), Label("zebra")]
SET_SCANS = """
    INSERT INTO scan_totals (link_id, scans) VALUES ($1, $2) ON CONFLICT (link_id) DO UPDATE SET scans = $2
"""

Thing = Link | QrCode


class OfLinks:
    """What the tests do with links; many are alike in all that they can be sorted by, but for when they were made."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self.desk = desk
        self.chance = chance

    async def new(self) -> Thing:
        link = await self.desk.links.create(self.desk.account, HERE, title=self.chance.choice(TITLES))
        await self.scan(link)
        return await self.now(link)

    async def scan(self, thing: Thing) -> None:
        """It has none, or so many."""
        if scans := self.chance.choice([0, 0, 1, 1, 2]):
            async with self.desk.database.connection() as connection:
                await connection.execute(SET_SCANS, link_of(thing), scans)

    async def now(self, thing: Thing) -> Thing:
        return await self.desk.links.get(self.desk.account.id, LinkId(thing.id))

    async def page(self, sort: str, descending: bool, after: PageEnd | None) -> Page[Thing, PageEnd]:
        selection = LinkSelection(sort=sort, descending=descending)  # type: ignore[arg-type]  # one of get_args
        page = await self.desk.links.list(self.desk.account.id, selection, after=after, limit=4)
        return Page([*page.items], page.next)

    async def change(self, thing: Thing) -> None:
        title = self.chance.choice(TITLES)
        await self.desk.links.change(self.desk.account, LinkId(thing.id), {"title": title})
        await self.scan(thing)

    async def delete(self, thing: Thing) -> None:
        await self.desk.links.delete(self.desk.account.id, LinkId(thing.id))


class OfCodes(OfLinks):
    """The same with codes, of which some are static and have no scans."""

    async def new(self) -> Thing:
        says = HERE if self.chance.random() < 0.7 else Text("Hello")
        name = self.chance.choice(TITLES)
        code = await self.desk.codes.create(self.desk.account, says, name=name, design=Design())
        await self.scan(code)
        return await self.now(code)

    async def scan(self, thing: Thing) -> None:
        if link_of(thing):
            await super().scan(thing)

    async def now(self, thing: Thing) -> Thing:
        return await self.desk.codes.get(self.desk.account.id, QrCodeId(thing.id))

    async def page(self, sort: str, descending: bool, after: PageEnd | None) -> Page[Thing, PageEnd]:
        selection = QrCodeSelection(sort=sort, descending=descending)  # type: ignore[arg-type]  # one of get_args
        page = await self.desk.codes.list(self.desk.account.id, selection, after=after, limit=4)
        return Page([*page.items], page.next)

    async def change(self, thing: Thing) -> None:
        name = self.chance.choice(TITLES)
        await self.desk.codes.change(self.desk.account, QrCodeId(thing.id), {"name": name})
        await self.scan(thing)

    async def delete(self, thing: Thing) -> None:
        await self.desk.codes.delete(self.desk.account.id, QrCodeId(thing.id))


def link_of(thing: Thing) -> int | None:
    if isinstance(thing, Link):
        return thing.id
    return thing.content.id if isinstance(thing.content, Link) else None


def key(thing: Thing, sort: str) -> tuple[SortKey, int]:
    if sort == "scans":
        link = thing if isinstance(thing, Link) else thing.content
        return (link.scans if isinstance(link, Link) else 0), thing.id
    value = getattr(thing, sort)
    return (value or "").lower() if sort in ("title", "name") else value, thing.id


@pytest.mark.parametrize("descending", [True, False], ids=["desc", "asc"])
@pytest.mark.parametrize(
    ("of", "sort"),
    [*((OfLinks, sort) for sort in get_args(LinkSort)), *((OfCodes, sort) for sort in get_args(QrCodeSort))],
)
async def test_what_stays_is_seen_once_and_in_order(desk: Desk, of: type[OfLinks], sort: str, descending: bool) -> None:
    """Whatever is made, changed and deleted between the pages; by what never changes, what was changed, too."""
    chance = random.Random(f"{sort} {descending}")
    things = of(desk, chance)
    there = {thing.id: thing for thing in [await things.new() for _ in range(28)]}
    changed: set[int] = set()
    seen: list[int] = []
    after, pages = None, 0
    while True:
        page = await things.page(sort, descending, after)
        seen += [thing.id for thing in page.items]
        pages += 1
        after = page.next
        if after is None:
            break
        await things.new()
        victim = chance.choice([*there.values()])
        await things.change(victim)
        changed.add(victim.id)
        for gone in {page.items[-1].id, chance.choice([*there])} & there.keys():  # one is where the next page begins
            await things.delete(there.pop(gone))
    stayed = [thing for thing in there.values() if sort == "created_at" or thing.id not in changed]
    assert (len(stayed) > 5, pages > 5) == (True, True)
    expected = [thing.id for thing in sorted(stayed, key=lambda thing: key(thing, sort), reverse=descending)]
    assert [number for number in seen if number in expected] == expected


async def test_by_the_last_change_ascending_nothing_that_is_changed_is_missed(desk: Desk) -> None:
    """What is changed moves to the end: whoever keeps a copy reads on from there, also at what was deleted."""
    things = OfLinks(desk, random.Random(1))
    links = [await things.new() for _ in range(9)]
    selection = LinkSelection(sort="updated_at", descending=False, deleted="include")
    copy: dict[int, Link] = {}
    after = None
    for round_ in range(9):
        page = await desk.links.list(desk.account.id, selection, after=after, limit=2)
        copy |= {link.id: link for link in page.items}
        if page.items:
            last = page.items[-1]
            after = PageEnd(last.updated_at, last.id)
        if round_ < 4:
            await things.change(links[round_])
            await things.delete(links[-1 - round_])
    async with desk.database.connection() as connection:
        count = await connection.fetchval("SELECT count(*) FROM links WHERE account_id = $1", desk.account.id)
    assert len(copy) == count == 9
    everything = (await desk.links.list(desk.account.id, selection, limit=100)).items
    assert {link.id: link.version for link in everything} == {link.id: link.version for link in copy.values()}
    assert sum(link.deleted_at is not None for link in copy.values()) == 4
