"""The use cases of links."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from server.domain.destination import Destination
from server.domain.errors import ChangedMeanwhile, NotFound, PlanLimit, SlugTaken
from server.domain.label import Label
from server.domain.links import RANDOM_SLUG_TRIES
from server.domain.model import Account, Link, LinkId, Scan
from server.domain.model import Position as At
from server.domain.plan import Plan
from server.domain.slug import Slug
from server.domain.stats import Asked, Period
from server.storage.postgres.scans import PostgresScanLog
from tests.domain.conftest import Desk
from tests.support import scan_us

pytestmark = pytest.mark.anyio

HERE = Destination("https://example.com/here")
THERE = Destination("https://example.com/there")


def draw(monkeypatch: pytest.MonkeyPatch, slugs: list[Slug]) -> Iterator[Slug]:
    """Makes chance draw these slugs; returns those that it has not drawn yet."""
    drawn = iter(slugs)
    monkeypatch.setattr(Slug, "random", lambda: next(drawn))
    return drawn


async def all_of(desk: Desk, account: Account) -> list[Link]:
    return (await desk.links.list(account.id, limit=100)).items


async def test_a_link_is_kept_as_it_was_made(desk: Desk) -> None:
    slug = Slug.random()
    link = await desk.links.create(desk.account, HERE, slug=slug, title=Label("Menu"))
    assert (link.account_id, link.slug, link.destination, link.title) == (desk.account.id, slug, HERE, "Menu")
    assert (link.scans, link.created_at) == (0, link.updated_at)
    assert await desk.links.get(desk.account.id, link.id) == link


async def test_without_a_slug_it_gets_a_random_one(desk: Desk) -> None:
    links = [await desk.links.create(desk.account, HERE) for _ in range(3)]
    assert len({link.slug for link in links}) == 3


async def test_a_taken_slug_is_refused_whoever_has_it_and_nothing_is_made(desk: Desk) -> None:
    taken = (await desk.links.create(desk.account, HERE)).slug
    for account in (desk.account, desk.foreign):
        before = await all_of(desk, account)
        with pytest.raises(SlugTaken, match=taken):
            await desk.links.create(account, THERE, slug=taken)
        assert await all_of(desk, account) == before
    assert len(desk.told) == 1


async def test_a_random_slug_that_is_taken_is_drawn_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = (await desk.links.create(desk.foreign, HERE)).slug
    free = Slug.random()
    left = draw(monkeypatch, [taken, taken, free, Slug("never-drawn")])
    link = await desk.links.create(desk.account, THERE)
    assert (link.slug, next(left)) == (free, "never-drawn")
    assert await all_of(desk, desk.account) == [link]


async def test_drawing_again_has_an_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = (await desk.links.create(desk.foreign, HERE)).slug
    left = draw(monkeypatch, [taken] * RANDOM_SLUG_TRIES + [Slug("never-drawn")])
    with pytest.raises(SlugTaken):
        await desk.links.create(desk.account, THERE)
    assert next(left) == "never-drawn"
    assert await all_of(desk, desk.account) == []


async def test_a_change_changes_what_it_names_and_nothing_else(desk: Desk) -> None:
    link = await desk.links.create(desk.account, HERE, title=Label("Menu"))
    moved = await desk.links.change(desk.account, link.id, {"destination": THERE})
    assert (moved.destination, moved.title, moved.slug) == (THERE, "Menu", link.slug)
    assert moved.created_at == link.created_at < moved.updated_at
    bare = await desk.links.change(desk.account, link.id, {"title": None})
    assert (bare.destination, bare.title) == (THERE, None)
    assert await desk.links.get(desk.account.id, link.id) == bare


async def test_every_change_is_told_once_it_is_committed(desk: Desk) -> None:
    link = await desk.links.create(desk.account, HERE)
    await desk.links.change(desk.account, link.id, {"destination": THERE})
    await desk.links.delete(desk.account.id, link.id)
    assert [(target.link_id, target.slug) for target in desk.told] == [(link.id, link.slug)] * 3
    assert [(target.destination, target.deleted) for target in desk.told] == [
        (HERE, False),
        (THERE, False),
        (THERE, True),
    ]


async def test_a_deleted_link_is_gone_and_its_slug_stays_taken(desk: Desk) -> None:
    link = await desk.links.create(desk.account, HERE)
    await desk.links.delete(desk.account.id, link.id)
    assert await all_of(desk, desk.account) == []
    for again in (
        desk.links.get(desk.account.id, link.id),
        desk.links.change(desk.account, link.id, {"destination": THERE}),
        desk.links.delete(desk.account.id, link.id),
    ):
        with pytest.raises(NotFound):
            await again
    with pytest.raises(SlugTaken):
        await desk.links.create(desk.account, THERE, slug=link.slug)


async def test_another_accounts_link_cannot_be_told_from_none(desk: Desk) -> None:
    link = await desk.links.create(desk.account, HERE)
    told = list(desk.told)
    never = LinkId(link.id + 1)
    day = Asked(period=Period.of(None, None, "day", ZoneInfo("UTC"), now=link.created_at))
    for each in (link.id, never):
        for attempt in (
            desk.links.get(desk.foreign.id, each),
            desk.links.change(desk.foreign, each, {"destination": THERE}),
            desk.links.delete(desk.foreign.id, each),
            desk.links.stats(desk.foreign, each, day),
        ):
            with pytest.raises(NotFound, match=r"There is no link 'lnk_\w{13}' in this account\."):
                await attempt
    assert await all_of(desk, desk.foreign) == []
    assert await all_of(desk, desk.account) == [link]
    assert desk.told == told


async def test_lists_stay_right_while_links_come_and_go(desk: Desk) -> None:
    made = [await desk.links.create(desk.account, HERE) for _ in range(5)]
    first = await desk.links.list(desk.account.id, limit=2)
    assert first.items == [made[4], made[3]]
    await desk.links.create(desk.account, HERE)
    await desk.links.delete(desk.account.id, made[3].id)  # where the next page begins
    await desk.links.delete(desk.account.id, made[1].id)
    second = await desk.links.list(desk.account.id, after=first.next, limit=2)
    assert second.items == [made[2], made[0]]
    assert second.next is None


async def test_a_full_last_page_knows_that_it_is_the_last(desk: Desk) -> None:
    for _ in range(2):
        await desk.links.create(desk.account, HERE)
    assert (await desk.links.list(desk.account.id, limit=2)).next is None


def scanned(link: LinkId, at: datetime) -> Scan:
    return Scan(link, scan_us(at), None, None, None, None, 0, "other", None, None, False)


async def test_stats_are_of_this_link_with_a_bucket_for_every_interval(desk: Desk) -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    link, other = [await desk.links.create(desk.account, HERE) for _ in range(2)]
    moments = [noon, noon + timedelta(minutes=59), noon + timedelta(hours=2)]
    scans = [scanned(link.id, moment) for moment in moments]
    log = PostgresScanLog(desk.database)
    prepared = await log.prepare([*scans, scanned(other.id, noon)])
    assert await prepared.write(f"journal-of-{link.id}", None, At(1, 8))

    period = Period(start=noon, end=noon + timedelta(hours=3), interval="hour", zone=ZoneInfo("UTC"))
    stats = await desk.links.stats(desk.account, link.id, Asked(period=period))
    assert stats.totals == (3, 1, moments[-1])
    assert stats.series == [(noon, 2, 1), (noon + timedelta(hours=1), 0, 0), (noon + timedelta(hours=2), 1, 0)]
    assert stats.asked.period == period
    assert (await desk.links.get(desk.account.id, link.id)).scans == 3


async def test_stats_of_a_link_nobody_scanned_are_zeros(desk: Desk) -> None:
    link = await desk.links.create(desk.account, HERE)
    day = Asked(period=Period.of(None, None, "day", ZoneInfo("UTC"), now=link.created_at))
    stats = await desk.links.stats(desk.account, link.id, day)
    assert stats.totals == (0, 0, None)
    assert {bucket.scans for bucket in stats.series} == {0}
    assert len(stats.series) == 31  # thirty days touch thirty-one


async def test_a_destination_is_changed_as_often_as_the_plan_allows(desk: Desk) -> None:
    """What else changes is not asked about, nor is the destination that it has."""
    account = replace(desk.account, plan=Plan(name="edits", destination_edits=1))
    link = await desk.links.create(account, HERE)
    counted = []
    for destination in (HERE, THERE, THERE):
        changed = await desk.links.change(account, link.id, {"destination": destination, "title": Label("Menu")})
        counted.append(changed.destination_changes)
    assert counted == [0, 1, 1]
    with pytest.raises(PlanLimit, match="has at most 1 changes of a link's destination"):
        await desk.links.change(account, link.id, {"destination": HERE})
    assert (await desk.links.get(account.id, link.id)).destination == THERE
    assert (await desk.links.change(desk.account, link.id, {"destination": HERE})).destination_changes == 2


async def test_of_two_changes_at_a_time_only_one_is_what_the_plan_allows(desk: Desk) -> None:
    account = replace(desk.account, plan=Plan(name="edits", destination_edits=1))
    link = await desk.links.create(account, HERE)
    elsewhere = [Destination(f"https://example.com/{number}") for number in range(4)]
    changes = [desk.links.change(account, link.id, {"destination": destination}) for destination in elsewhere]
    done = await asyncio.gather(*changes, return_exceptions=True)
    assert [type(each) for each in done].count(Link) == 1
    assert all(isinstance(each, Link | PlanLimit | ChangedMeanwhile) for each in done)
    assert (await desk.links.get(account.id, link.id)).destination_changes == 1
