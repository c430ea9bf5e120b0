"""Who holds a key is asked for once, and again when that may have changed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from server.domain import callers
from server.domain.accounts import Accounts
from server.domain.callers import Callers
from server.domain.errors import Unauthenticated
from server.domain.keys import digest
from server.domain.label import Label
from server.domain.model import AccountId, Caller
from server.storage.postgres.accounts import PostgresAccounts
from tests.domain.conftest import Desk
from tests.support import PLANS, new_id

pytestmark = pytest.mark.anyio


class Counting(PostgresAccounts):
    """Which knows how often it was asked who holds a key; and of which an answer may take as long as a test wants."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.database, PLANS)
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def caller(self, digest: bytes) -> Caller | None:
        self.asked += 1
        found = await super().caller(digest)
        await self.open.wait()
        return found


async def keys_of(desk: Desk, count: int) -> list[bytes]:
    """The digests of new keys of the account."""
    return [digest((await desk.accounts.create_key(desk.account, Label("Till")))[1]) for _ in range(count)]


async def test_a_key_is_asked_for_once(desk: Desk) -> None:
    [key] = await keys_of(desk, 1)
    store = Counting(desk)
    known = Callers(store)
    known.changed(None)
    first = await known.of(key)
    assert first is not None
    assert await known.of(key) is first
    assert store.asked == 1


async def test_as_long_as_nobody_tells_of_changes_it_is_asked_for_each_time(desk: Desk) -> None:
    [key] = await keys_of(desk, 1)
    store = Counting(desk)
    known = Callers(store)
    assert [await known.of(key) is not None for _ in range(2)] == [True, True]
    known.changed(None)
    known.lost()
    assert [await known.of(key) is not None for _ in range(2)] == [True, True]
    assert (store.asked, len(known)) == (4, 0)


async def test_what_is_known_is_dropped_when_nobody_tells_of_changes_any_more(desk: Desk) -> None:
    [key] = await keys_of(desk, 1)
    known = Callers(PostgresAccounts(desk.database, PLANS))
    known.changed(None)
    assert await known.of(key)
    known.lost()
    assert len(known) == 0


async def test_of_a_key_that_there_is_not_nothing_is_kept(desk: Desk) -> None:
    store = Counting(desk)
    known = Callers(store)
    known.changed(None)
    assert [await known.of(b"nobody's"), await known.of(b"nobody's")] == [None, None]
    assert (store.asked, len(known)) == (2, 0)


async def test_a_change_of_an_account_drops_its_keys_and_no_others(desk: Desk) -> None:
    ours = await keys_of(desk, 2)
    theirs = digest((await desk.accounts.create_key(desk.foreign, Label("Till")))[1])
    store = Counting(desk)
    known = Callers(store)
    known.changed(None)
    for key in (*ours, theirs):
        await known.of(key)
    known.changed([desk.account.id, AccountId(1)])
    assert len(known) == 1
    for key in (*ours, theirs):
        await known.of(key)
    assert store.asked == 5


async def test_an_answer_from_before_a_change_is_not_kept(desk: Desk) -> None:
    """The key is deleted while it is looked up: the answer may still be that it opens, but for this one time only."""
    [key] = await keys_of(desk, 1)
    store = Counting(desk)
    changes: list[Callable[[Callers], None]] = [lambda known: known.changed([desk.account.id]), Callers.lost]
    for change in changes:
        known = Callers(store)
        known.changed(None)
        store.open.clear()
        asking = asyncio.create_task(known.of(key))
        await asyncio.sleep(0)
        change(known)
        store.open.set()
        assert await asking is not None
        assert len(known) == 0


async def test_no_more_are_kept_than_there_is_room_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = await keys_of(desk, 10)
    store = Counting(desk)
    known = Callers(store, most=4)
    known.changed(None)
    for key in keys:
        await known.of(key)
        assert len(known) <= 4
    asked = store.asked
    await known.of(keys[-1])
    assert store.asked == asked
    known.changed([desk.account.id])
    assert len(known) == 0
    assert callers.MAX_CALLERS >= 1000


async def test_a_key_that_is_known_opens_nothing_once_it_is_deleted_or_has_expired(desk: Desk) -> None:
    moment = desk.account.created_at
    accounts = Accounts(PostgresAccounts(desk.database, PLANS), now=lambda: moment, new_id=new_id)
    accounts.callers.changed(None)
    expiring, key = await accounts.create_key(
        desk.account, Label("Fair"), expires_at=desk.account.created_at + timedelta(days=1)
    )
    deleted, other = await accounts.create_key(desk.account, Label("Lost"))
    assert (await accounts.authenticate(key)).key == expiring
    assert (await accounts.authenticate(other)).key == deleted
    assert len(accounts.callers) == 2
    await accounts.delete_key(desk.account.id, deleted.id)
    with pytest.raises(Unauthenticated):
        await accounts.authenticate(other)
    moment += timedelta(days=1)
    with pytest.raises(Unauthenticated, match="expired"):
        await accounts.authenticate(key)
