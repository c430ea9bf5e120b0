"""The use cases of QR codes."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from server.domain.content import Text
from server.domain.design import Design
from server.domain.destination import Destination
from server.domain.errors import InvalidValue, NotCounted, NotFound, SlugTaken
from server.domain.guards import Guards
from server.domain.label import Label
from server.domain.links import RANDOM_SLUG_TRIES
from server.domain.model import Account, Hit, Link, LinkId, QrCode, QrCodeId, Target
from server.domain.password import Password
from server.domain.selection import QrCodeSelection
from server.domain.slug import Slug
from server.domain.stats import Asked, Period
from server.render.image import QUICK_PX
from server.storage.postgres.qrcodes import PostgresQrCodes
from tests.domain.conftest import Desk

pytestmark = pytest.mark.anyio

HERE = Destination("https://example.com/here")
THERE = Destination("https://example.com/there")
PLAIN = Design()

# Bytes that version 40 holds at each level (ISO/IEC 18004:2015, table 7).
LONGEST = {"L": 2953, "M": 2331, "Q": 1663, "H": 1273}


async def new_code(desk: Desk, says: Destination | LinkId | Text = HERE, design: Design = PLAIN) -> QrCode:
    return await desk.codes.create(desk.account, says, name=Label("Table 7"), design=design)


async def everything(desk: Desk, account: Account) -> tuple[list[QrCode], list[Link]]:
    codes = await desk.codes.list(account.id, limit=100)
    links = await desk.links.list(account.id, limit=100)
    return codes.items, links.items


def link_of(code: QrCode) -> Link:
    assert isinstance(code.content, Link)
    return code.content


async def test_a_destination_makes_a_code_with_a_link_of_its_own(desk: Desk) -> None:
    code = await new_code(desk, HERE)
    link = link_of(code)
    assert (link.destination, link.title, link.account_id) == (HERE, "Table 7", desk.account.id)
    assert await everything(desk, desk.account) == ([code], [link])
    assert desk.codes.order(code.content, code.design).text == f"https://qr.example/{link.slug}"


async def test_the_new_link_is_told_once_it_is_committed(desk: Desk) -> None:
    link = link_of(await new_code(desk, HERE))
    assert desk.told == [Target(link.id, link.slug, HERE, deleted=False)]


async def test_a_link_there_is_may_have_several_codes(desk: Desk) -> None:
    link = await desk.links.create(desk.account, HERE)
    told = list(desk.told)
    codes = [await new_code(desk, link.id) for _ in range(2)]
    assert [code.content for code in codes] == [link, link]
    assert await everything(desk, desk.account) == (codes[::-1], [link])
    assert desk.told == told  # nothing of the link has changed


async def test_a_text_makes_a_code_that_says_it(desk: Desk) -> None:
    code = await new_code(desk, Text("Hello"))
    assert (code.content, desk.codes.order(code.content, code.design).text) == (Text("Hello"), "Hello")
    assert await everything(desk, desk.account) == ([code], [])
    assert desk.told == []


async def test_a_random_slug_that_is_taken_is_drawn_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = link_of(await new_code(desk)).slug, Slug.random()
    drawn = iter([taken, free])
    monkeypatch.setattr(Slug, "random", lambda: next(drawn))
    code = await new_code(desk)
    assert link_of(code).slug == free
    assert len((await everything(desk, desk.account))[0]) == 2


async def test_when_no_slug_is_free_neither_code_nor_link_is_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = link_of(await new_code(desk)).slug
    before, told = await everything(desk, desk.account), list(desk.told)
    drawn = iter([taken] * RANDOM_SLUG_TRIES)
    monkeypatch.setattr(Slug, "random", lambda: next(drawn))
    with pytest.raises(SlugTaken):
        await new_code(desk)
    assert await everything(desk, desk.account) == before
    assert desk.told == told


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
async def test_a_text_may_be_as_long_as_version_40_holds_at_its_level(desk: Desk, level: str) -> None:
    design = Design(level=level)  # type: ignore[arg-type]
    await new_code(desk, Text("x" * LONGEST[level]), design)
    before = await everything(desk, desk.account)
    with pytest.raises(InvalidValue) as refusal:
        await new_code(desk, Text("x" * (LONGEST[level] + 1)), design)
    assert (refusal.value.reason, refusal.value.field) == ("too_long", "content/text")
    assert str(LONGEST[level]) in refusal.value.detail
    assert str(LONGEST[level] + 1) in refusal.value.detail
    assert await everything(desk, desk.account) == before


async def test_a_level_that_the_text_is_too_long_for_is_refused_when_it_changes(desk: Desk) -> None:
    code = await new_code(desk, Text("x" * LONGEST["M"]))
    with pytest.raises(InvalidValue) as refusal:
        await desk.codes.change(desk.account, code.id, {"design": Design(level="Q"), "name": Label("New")})
    assert (refusal.value.reason, refusal.value.field) == ("too_long", "content/text")
    assert await desk.codes.get(desk.account.id, code.id) == code


async def test_a_short_url_that_fits_no_symbol_is_the_levels_fault(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an absurd public URL can be so long; whoever asks for the code can choose another level, not the text."""
    monkeypatch.setattr(desk.codes, "_short_url", lambda slug: f"https://qr.example/{'x' * 1300}/{slug}")
    with pytest.raises(InvalidValue) as refusal:
        await new_code(desk, HERE, Design(level="H"))
    assert (refusal.value.reason, refusal.value.field) == ("too_long", "design/level")
    assert await everything(desk, desk.account) == ([], [])


async def test_a_change_changes_what_it_names_and_nothing_else(desk: Desk) -> None:
    code = await new_code(desk)
    named = await desk.codes.change(desk.account, code.id, {"name": None})
    assert (named.name, named.design, named.content) == (None, code.design, code.content)
    assert named.created_at == code.created_at < named.updated_at
    drawn = await desk.codes.change(desk.account, code.id, {"design": Design(level="H", margin=0)})
    assert (drawn.name, drawn.design) == (None, Design(level="H", margin=0))
    assert await desk.codes.get(desk.account.id, code.id) == drawn


async def test_a_deleted_code_is_gone_and_its_link_stays(desk: Desk) -> None:
    code = await new_code(desk)
    await desk.codes.delete(desk.account.id, code.id)
    assert await everything(desk, desk.account) == ([], [link_of(code)])
    for again in (
        desk.codes.get(desk.account.id, code.id),
        desk.codes.delete(desk.account.id, code.id),
        desk.codes.change(desk.account, code.id, {"name": None}),
    ):
        with pytest.raises(NotFound):
            await again


async def test_another_accounts_code_cannot_be_told_from_none(desk: Desk) -> None:
    code = await new_code(desk)
    day = Asked(period=Period.of(None, None, "day", ZoneInfo("UTC"), now=code.created_at))
    for each in (code.id, QrCodeId(code.id + 1)):
        for attempt in (
            desk.codes.get(desk.foreign.id, each),
            desk.codes.change(desk.foreign, each, {"name": None}),
            desk.codes.change(desk.foreign, each, {"design": PLAIN}),
            desk.codes.delete(desk.foreign.id, each),
            desk.codes.show(desk.foreign, each, format="png", size_px=512),
            desk.codes.stats(desk.foreign, each, day),
        ):
            with pytest.raises(NotFound, match=r"There is no QR code 'qr_\w{13}' in this account\."):
                await attempt
    assert await everything(desk, desk.foreign) == ([], [])
    assert await desk.codes.get(desk.account.id, code.id) == code


async def test_nobody_makes_a_code_of_another_accounts_or_a_deleted_link(desk: Desk) -> None:
    theirs = await desk.links.create(desk.foreign, HERE)
    deleted = await desk.links.create(desk.account, HERE)
    await desk.links.delete(desk.account.id, deleted.id)
    for link in (theirs, deleted):
        with pytest.raises(NotFound):
            await new_code(desk, link.id)
    assert await everything(desk, desk.account) == ([], [])


async def test_codes_are_counted_and_skipped(desk: Desk) -> None:
    codes = [await new_code(desk, Text(f"{number}")) for number in range(5)][::-1]
    page = await desk.codes.list(desk.account.id, limit=2, skip=2)
    assert page.items == codes[2:4]
    assert (await desk.codes.list(desk.account.id, after=page.next, limit=2)).items == codes[4:]
    assert (await desk.codes.list(desk.account.id, limit=2, skip=5)).items == []
    assert await desk.codes.count(desk.account.id) == 5
    assert await desk.codes.count(desk.account.id, QrCodeSelection(kind="dynamic")) == 0
    assert await desk.codes.count(desk.foreign.id) == 0


async def test_a_code_goes_with_its_link_unless_another_one_has_it(desk: Desk) -> None:
    first = await new_code(desk)
    link = link_of(first)
    second = await new_code(desk, link.id)
    await desk.codes.delete(desk.account.id, first.id, with_link=True)
    assert await everything(desk, desk.account) == ([second], [link])
    await desk.codes.delete(desk.account.id, second.id, with_link=True)
    assert await everything(desk, desk.account) == ([], [])
    assert desk.told[-1] == Target(link.id, link.slug, HERE, deleted=True)
    text = await new_code(desk, Text("Hello"))
    await desk.codes.delete(desk.account.id, text.id, with_link=True)
    assert await everything(desk, desk.account) == ([], [])


async def test_a_link_of_its_own_has_guards_from_the_start(desk: Desk) -> None:
    guards = Guards(max_scans=5)
    code = await desk.codes.create(
        desk.account, HERE, name=None, design=PLAIN, guards=guards, password=Password("secret123")
    )
    link = link_of(code)
    assert replace(link.guards, password_hash=None) == guards
    assert link.guards.password_hash is not None
    assert await desk.links.get(desk.account.id, link.id) == link


async def test_a_picture_is_of_the_format_asked_for_and_named_by_what_it_shows(desk: Desk) -> None:
    code = await new_code(desk)
    png, _ = await (await desk.codes.show(desk.account, code.id, format="png", size_px=512)).draw()
    svg, _ = await (await desk.codes.show(desk.account, code.id, format="svg", size_px=512)).draw()
    assert (png.media_type, png.body[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert svg.media_type == "image/svg+xml"
    assert b"<svg" in svg.body
    again = await desk.codes.show(desk.account, code.id, format="png", size_px=512)
    other = await desk.codes.show(desk.account, code.id, format="png", size_px=513)
    assert again.etag == png.etag
    assert len({png.etag, svg.etag, other.etag}) == 3


@pytest.mark.parametrize("size_px", [QUICK_PX, QUICK_PX + 1])
async def test_a_picture_is_drawn_once(desk: Desk, size_px: int) -> None:
    code = await new_code(desk)
    picture = await desk.codes.show(desk.account, code.id, format="png", size_px=size_px)
    image, hit = await picture.draw()
    assert (image.etag, hit) == (picture.etag, Hit.MISS)
    assert await picture.draw() == (image, Hit.LOCAL)


@pytest.mark.parametrize("size_px", [QUICK_PX, QUICK_PX + 1])
async def test_codes_that_look_alike_share_a_picture(desk: Desk, size_px: int) -> None:
    codes = [await new_code(desk, Text("Hello")) for _ in range(2)]
    pictures = [await desk.codes.show(desk.account, each.id, format="png", size_px=size_px) for each in codes]
    assert pictures[0].etag == pictures[1].etag
    assert [(await each.draw())[1] for each in pictures] == [Hit.MISS, Hit.LOCAL]


async def test_stats_of_a_dynamic_code_are_its_links(desk: Desk) -> None:
    code = await new_code(desk)
    day = Asked(period=Period.of(None, None, "day", ZoneInfo("UTC"), now=code.created_at))
    stats = await desk.codes.stats(desk.account, code.id, day)
    assert stats == await desk.links.stats(desk.account, link_of(code).id, day)


async def test_a_static_codes_scans_are_not_counted(desk: Desk) -> None:
    code = await new_code(desk, Text("Hello"))
    with pytest.raises(NotCounted):
        await desk.codes.stats(
            desk.account, code.id, Asked(period=Period.of(None, None, "day", ZoneInfo("UTC"), now=code.created_at))
        )


async def test_after_its_link_is_deleted_a_code_is_still_there_and_says_so_of_its_link(desk: Desk) -> None:
    code = await new_code(desk)
    await desk.links.delete(desk.account.id, link_of(code).id)
    found = await desk.codes.get(desk.account.id, code.id)
    deleted = link_of(found)
    assert deleted.deleted_at == deleted.updated_at != code.updated_at
    assert found == replace(code, content=deleted)
    assert replace(deleted, deleted_at=None, updated_at=link_of(code).updated_at) == link_of(code)


async def test_a_code_counts_the_scans_of_its_link_from_then_on(desk: Desk) -> None:
    """Also where it is one of many; a static one has none."""
    first = await new_code(desk)
    link = link_of(first)

    async def scanned(times: int) -> None:
        query = (
            "INSERT INTO scan_totals (link_id, scans) VALUES ($1, $2) ON CONFLICT (link_id) DO UPDATE SET scans = $2"
        )
        async with desk.database.connection() as connection:
            await connection.execute(query, link.id, times)

    await scanned(7)
    second = await new_code(desk, link.id)
    drafted = await desk.codes.draft(
        desk.account, link_of(second), name=None, tags=(), design=PLAIN, allow_unscannable=False
    )
    await PostgresQrCodes(desk.database).add_many([drafted], desk.account.plan, with_link=[], whole=True)
    await scanned(9)
    found = [await desk.codes.get(desk.account.id, code.id) for code in (first, second, drafted)]
    assert [code.scans_since for code in found] == [9, 2, 2]
    assert (await new_code(desk, Text("Hello"))).scans_since == 0
