"""What plans allow."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from server.domain.content import Text
from server.domain.design import PLAIN, Background, Design, Logo, Picture
from server.domain.destination import Destination
from server.domain.errors import PlanLimit, RateLimited, StorageUnavailable
from server.domain.label import Label
from server.domain.limits import (
    FREE,
    Limits,
    Quota,
    allow_bulk,
    allow_design,
    allow_guards,
    allow_size,
    allow_webhooks,
)
from server.domain.model import Account, AccountId
from server.domain.password import Password
from server.domain.plan import UNLIMITED, Plan
from server.domain.ports import Used
from server.storage.postgres.usage import PostgresUsage
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


# --- what is counted ----------------------------------------------------------------------------------------------


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def limits_of(desk: Desk, now: Callable[[], datetime] | None = None) -> Limits:
    """As another process has them."""
    return Limits(PostgresUsage(desk.database), None, now=now or (lambda: datetime.now(UTC)))


async def let_through(limits: Limits, account: Account, times: int) -> int:
    standings = await asyncio.gather(*(limits.count_request(account) for _ in range(times)))
    return sum(standing.refusal is None for standing in standings)


async def test_of_many_at_once_in_two_processes_exactly_the_minutes_are_let_through(desk: Desk) -> None:
    account = on(desk, requests_per_minute=10)
    first, second = await asyncio.gather(*(let_through(limits_of(desk), account, 20) for _ in range(2)))
    assert first + second == 10
    standing = await limits_of(desk).count_request(account)
    [quota] = standing.quotas
    assert (quota.limit, quota.allowed, quota.remaining) == ("requests_per_minute", 10, 0)
    assert 1 <= quota.reset_s <= 60
    assert isinstance(standing.refusal, RateLimited)
    assert (standing.refusal.limit, standing.refusal.retry_after_s) == ("requests_per_minute", quota.reset_s)
    assert await let_through(limits_of(desk), replace(desk.foreign, plan=account.plan), 1) == 1


async def test_the_minute_slides(desk: Desk) -> None:
    account, limits = on(desk, requests_per_minute=5), limits_of(desk)

    async def earlier(seconds: int, numbers: range) -> None:
        async with desk.database.connection() as connection:
            await connection.execute(
                "UPDATE request_times SET taken_at = clock_timestamp() - make_interval(secs => $2)"
                " WHERE account_id = $1 AND number = ANY($3)",
                *(account.id, seconds, list(numbers)),
            )

    assert await let_through(limits, account, 6) == 5
    await earlier(59, range(1, 4))
    assert await let_through(limits, account, 3) == 0
    await earlier(61, range(1, 4))
    standing = await limits.count_request(account)
    assert standing.refusal is None
    assert standing.quotas[0].remaining == 2
    assert await let_through(limits, account, 5) == 2
    await earlier(61, range(1, 9))
    assert await let_through(limits, account, 9) == 5
    async with desk.database.connection() as connection:
        rows = await connection.fetch("SELECT number FROM request_times WHERE account_id = $1", account.id)
    assert sorted(row["number"] for row in rows) == list(range(9, 14)), "what is older than a minute is not kept"


async def test_another_plan_counts_the_same_minute(desk: Desk) -> None:
    limits = limits_of(desk)
    assert await let_through(limits, on(desk, requests_per_minute=5), 9) == 5
    assert await let_through(limits, on(desk, requests_per_minute=8), 9) == 3
    assert await let_through(limits, on(desk, requests_per_minute=5), 9) == 0


async def test_a_month_is_one_of_the_calendar_in_utc(desk: Desk) -> None:
    clock = Clock(datetime(2026, 12, 31, 23, 59, 58, 500_000, tzinfo=UTC))
    account, limits = on(desk, requests_per_month=3), limits_of(desk, clock)
    assert await let_through(limits, account, 10) == 3
    standing = await limits.count_request(account)
    assert standing.quotas == (Quota("requests_per_month", 3, 0, 31 * 86_400, 2),)
    assert standing.refusal is not None
    assert standing.refusal.detail.startswith("The plan 'small' of this account has at most 3 requests in a month.")
    assert (await limits.usage(account)).requests == 3
    clock.now = datetime(2027, 1, 1, tzinfo=UTC)
    assert (await limits.usage(account)).requests == 0
    assert await let_through(limits, account, 10) == 3


async def test_a_request_that_is_refused_counts_for_neither(desk: Desk) -> None:
    limits = limits_of(desk)
    account = on(desk, requests_per_minute=2, requests_per_month=3)
    assert await let_through(limits, account, 5) == 2
    assert (await limits.usage(account)).requests == 2
    account = on(desk, requests_per_minute=10, requests_per_month=3)
    assert await let_through(limits, account, 5) == 1
    [minute, month] = (await limits.count_request(account)).quotas
    assert (minute.remaining, month.remaining) == (7, 0)


async def test_what_is_free_is_counted_in_memory_and_stored_in_one_go(desk: Desk) -> None:
    limits, other = limits_of(desk), limits_of(desk)
    for _ in range(3):
        assert await limits.count_request(desk.account) is FREE
    async with limits.renders(desk.account, 2):
        pass
    used = await limits.usage(desk.account)
    assert (used.requests, used.renders) == (3, 2)
    assert (await other.usage(desk.account)).requests == 0
    for _ in range(2):
        await limits.store_usage()
        assert await other.usage(desk.account) == used == await limits.usage(desk.account)
    await other.count_request(desk.account)
    await other.store_usage()
    assert (await limits.usage(desk.account)).requests == 4


async def test_what_is_being_stored_is_not_left_out(desk: Desk) -> None:
    class Slow(PostgresUsage):
        async def add(self, used: Mapping[tuple[AccountId, date], Used]) -> None:
            begun.set()
            await asked.wait()
            await super().add(used)

    begun, asked = asyncio.Event(), asyncio.Event()
    limits = Limits(Slow(desk.database), None, now=lambda: datetime.now(UTC))
    for _ in range(3):
        await limits.count_request(desk.account)
    storing = asyncio.create_task(limits.store_usage())
    await begun.wait()
    usage = asyncio.create_task(limits.usage(desk.account))
    await limits_of(desk).usage(desk.account)  # a question that takes as long, while the other one is under way
    asked.set()
    assert (await usage).requests == 3
    await storing


async def test_what_cannot_be_stored_is_stored_the_next_time(desk: Desk) -> None:
    class Down(PostgresUsage):
        async def add(self, used: Mapping[tuple[AccountId, date], Used]) -> None:
            if outages:
                outages.pop()
                raise StorageUnavailable
            await super().add(used)

    limits = Limits(Down(desk.database), None, now=lambda: datetime.now(UTC))
    outages = [1, 2]
    for _ in range(3):
        await limits.count_request(desk.account)
        await limits.store_usage()
    assert (await limits_of(desk).usage(desk.account)).requests == 3


async def test_pictures_of_a_month_are_exact_and_those_that_fail_are_none(desk: Desk) -> None:
    limits, account = limits_of(desk), on(desk, renders_per_month=3)

    left: list[int | None] = []

    async def draw() -> None:
        async with limits.renders(account) as here:
            left.append(here)
            await asyncio.sleep(0)

    with pytest.raises(ZeroDivisionError):
        async with limits.renders(account, 3):
            raise ZeroDivisionError
    done = await asyncio.gather(*(draw() for _ in range(9)), return_exceptions=True)
    assert done.count(None) == 3
    assert set(left) == {0, 1, 2}
    assert all(isinstance(each, RateLimited | None) for each in done)
    assert (await limits.usage(account)).renders == 3
    with pytest.raises(RateLimited, match="has at most 3 pictures in a month"):
        async with limits.renders(account):
            pytest.fail("this is never drawn")


async def test_pictures_that_are_billed_are_counted_and_not_refused(desk: Desk) -> None:
    limits = limits_of(desk)
    account = replace(desk.account, plan=PLANS.named("billed"))
    left = []
    for _ in range(3):
        async with limits.renders(account) as here:
            left.append(here)
    assert left[-1] == 0
    assert (await limits_of(desk).usage(account)).renders == 3


async def test_usage_counts_what_the_plan_counts(desk: Desk) -> None:
    await desk.codes.create(desk.account, THERE, name=None, design=PLAIN)
    await desk.codes.create(desk.account, Text("Hello"), name=None, design=PLAIN)
    link = await desk.links.create(desk.account, THERE)
    await desk.links.create(desk.account, THERE)
    await desk.links.delete(desk.account.id, link.id)
    await desk.accounts.create_key(desk.account, Label("Till"))
    used = await limits_of(desk).usage(desk.account)
    assert (used.links, used.dynamic_codes, used.keys) == (2, 1, 1)
