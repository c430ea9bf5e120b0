"""What plans allow."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.content import Text
from server.domain.design import PLAIN, Background, Design, Logo, Picture
from server.domain.destination import Destination
from server.domain.errors import PlanLimit
from server.domain.label import Label
from server.domain.limits import allow_bulk, allow_design, allow_guards, allow_size, allow_webhooks
from server.domain.model import Account
from server.domain.password import Password
from server.domain.plan import UNLIMITED, Plan
from tests.domain.conftest import Desk
from tests.support import PLANS

pytestmark = pytest.mark.anyio

THERE = Destination("https://example.com/")
BARE = PLANS.named("bare")
LATER = datetime(2030, 1, 1, tzinfo=UTC)
PICTURE = Picture(url="https://example.com/logo.png")

REFUSED: dict[str, tuple[str | None, Callable[[Plan], None]]] = {
    "logo": ("design/logo", lambda plan: allow_design(plan, Design(logo=Logo(image=PICTURE)))),
    "background_image": (
        "design/background/image",
        lambda plan: allow_design(plan, Design(background=Background(image=PICTURE))),
    ),
    "size_px": ("size", lambda plan: allow_size(plan, 601, None)),
    "dpi": ("dpi", lambda plan: allow_size(plan, 600, 300.5)),
    "password": ("password", lambda plan: allow_guards(plan, Password("open"), None, None)),
    "expiry": ("expires_at", lambda plan: allow_guards(plan, None, LATER, None)),
    "scan_limit": ("max_scans", lambda plan: allow_guards(plan, None, None, 1)),
    "webhooks": (None, allow_webhooks),
}


@pytest.mark.parametrize("limit", REFUSED)
async def test_what_a_plan_does_not_allow_is_refused_with_field_limit_and_plan(limit: str) -> None:
    field, ask = REFUSED[limit]
    ask(UNLIMITED)
    with pytest.raises(PlanLimit) as caught:
        ask(BARE)
    assert (caught.value.field, caught.value.limit, caught.value.plan) == (field, limit, "bare")
    assert caught.value.allowed == BARE.limits[limit]
    assert caught.value.detail.startswith("The plan 'bare' of this account has ")


async def test_what_a_plan_allows_is_not_refused() -> None:
    allow_design(BARE, PLAIN)
    allow_size(BARE, 600, 300)
    allow_guards(BARE, None, None, None)
    allow_bulk(BARE, 1_000_000)
    allow_bulk(PLANS.named("tiny"), 2)
    with pytest.raises(PlanLimit, match="has at most 2 items in one request") as caught:
        allow_bulk(PLANS.named("tiny"), 3)
    assert caught.value.within("batch/3").field == "batch/3/items"


def on(desk: Desk, **limits: int) -> Account:
    """The desk's account, on a plan of these limits."""
    return replace(desk.account, plan=Plan(name="small", **limits))  # type: ignore[arg-type]


async def add_link(desk: Desk, account: Account) -> object:
    return await desk.links.create(account, THERE)


async def add_code(desk: Desk, account: Account) -> object:
    return await desk.codes.create(account, THERE, name=None, design=PLAIN)


async def add_key(desk: Desk, account: Account) -> object:
    return await desk.accounts.create_key(account, Label("Till"))


async def add_code_of_a_link(desk: Desk, account: Account) -> object:
    link = await desk.links.create(replace(account, plan=UNLIMITED), THERE)
    return await desk.codes.create(account, link.id, name=None, design=PLAIN)


ADD: dict[str, tuple[str, Callable[[Desk, Account], Awaitable[object]]]] = {
    "links": ("links", add_link),
    "links of codes": ("links", add_code),
    "codes": ("dynamic_codes", add_code),
    "codes of links": ("dynamic_codes", add_code_of_a_link),
    "keys": ("keys", add_key),
}


@pytest.mark.parametrize("what", ADD)
async def test_of_many_at_once_exactly_as_many_are_added_as_the_plan_allows(desk: Desk, what: str) -> None:
    limit, add = ADD[what]
    account = on(desk, **{limit: 3})
    done = await asyncio.gather(*(add(desk, account) for _ in range(12)), return_exceptions=True)
    refused = [each for each in done if isinstance(each, BaseException)]
    assert len(done) - len(refused) == 3
    assert all(isinstance(each, PlanLimit) and (each.limit, each.allowed) == (limit, 3) for each in refused), refused
    await add(desk, replace(desk.foreign, plan=account.plan))


async def test_none_allowed_is_none(desk: Desk) -> None:
    for limit, add in ADD.values():
        with pytest.raises(PlanLimit):
            await add(desk, on(desk, **{limit: 0}))


async def test_what_is_deleted_makes_room(desk: Desk) -> None:
    account = on(desk, links=1, dynamic_codes=1, keys=1)
    code = await desk.codes.create(account, THERE, name=None, design=PLAIN)
    await desk.codes.delete(account.id, code.id)
    link = code.content
    with pytest.raises(PlanLimit, match="has at most 1 links"):  # it still leads somewhere
        await desk.codes.create(account, THERE, name=None, design=PLAIN)
    await desk.links.delete(account.id, link.id)  # type: ignore[union-attr]
    await desk.codes.create(account, THERE, name=None, design=PLAIN)
    key, _ = await desk.accounts.create_key(account, Label("Till"))
    await desk.accounts.delete_key(account.id, key.id)
    await desk.accounts.create_key(account, Label("Till"))


async def test_static_codes_and_keys_that_have_expired_do_not_count(desk: Desk) -> None:
    account = on(desk, dynamic_codes=1, keys=1)
    for _ in range(2):
        await desk.codes.create(account, Text("Hello"), name=None, design=PLAIN)
    await desk.codes.create(account, THERE, name=None, design=PLAIN)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    expiring, _ = await desk.accounts.create_key(account, Label("Fair"), expires_at=soon)
    with pytest.raises(PlanLimit):
        await desk.accounts.create_key(account, Label("Till"))
    async with desk.database.connection() as connection:
        await connection.execute("UPDATE api_keys SET expires_at = now() WHERE id = $1", expiring.id)
    await desk.accounts.create_key(account, Label("Till"))


async def test_a_lesser_plan_takes_nothing_away(desk: Desk) -> None:
    code = await desk.codes.create(desk.account, THERE, name=None, design=PLAIN)
    await desk.accounts.set_plan(desk.account.id, PLANS.named("tiny"))
    account = await desk.accounts.get(desk.account.id)
    assert account.plan == PLANS.named("tiny")
    assert await desk.codes.get(account.id, code.id) == code
    with pytest.raises(PlanLimit):
        await desk.codes.create(account, THERE, name=None, design=PLAIN)
