"""Accounts and the keys that open them."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.accounts import Accounts
from server.domain.errors import InvalidValue, NotFound, Unauthenticated
from server.domain.keys import permissions
from server.domain.label import Label
from server.domain.model import AccountId
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.pool import Database
from tests.domain.conftest import Desk
from tests.support import PLANS, new_id

pytestmark = pytest.mark.anyio


async def test_a_new_key_opens_its_account(desk: Desk) -> None:
    _, key = await desk.accounts.create_key(desk.account, Label("Till"))
    assert (await desk.accounts.authenticate(key)).account == desk.account


async def test_a_key_is_long_and_says_whose_it_is(desk: Desk) -> None:
    record, key = await desk.accounts.create_key(desk.account, Label("Till"))
    assert re.fullmatch(r"qredge_[A-Za-z0-9]{40}", key)
    assert (record.account_id, record.name, record.last4) == (desk.account.id, "Till", key[-4:])


async def test_keys_differ(desk: Desk) -> None:
    keys = [await desk.accounts.create_key(desk.account, Label("Till")) for _ in range(3)]
    assert len({key for _, key in keys}) == len({record.id for record, _ in keys}) == 3


@pytest.mark.parametrize("key", ["", "qredge_", "qredge_" + "x" * 40, "' OR 1=1 --", "ä\x00🍣"])
async def test_a_key_that_was_never_given_opens_nothing(desk: Desk, key: str) -> None:
    with pytest.raises(Unauthenticated):
        await desk.accounts.authenticate(key)


async def test_a_key_in_another_spelling_opens_nothing(desk: Desk) -> None:
    _, key = await desk.accounts.create_key(desk.account, Label("Till"))
    for other in (key.upper(), key + " ", key[:-1], key.removeprefix("qredge_")):
        with pytest.raises(Unauthenticated):
            await desk.accounts.authenticate(other)


async def test_the_key_itself_is_stored_nowhere(desk: Desk) -> None:
    _, key = await desk.accounts.create_key(desk.account, Label("Till"))
    async with desk.database.connection() as connection:
        rows = await connection.fetch("SELECT api_keys::text AS row FROM api_keys")
    secret = key.removeprefix("qredge_")
    assert rows
    assert not any(secret in row["row"] or secret.encode().hex() in row["row"] for row in rows)


async def test_a_deleted_key_opens_nothing_and_the_others_still_do(desk: Desk) -> None:
    record, key = await desk.accounts.create_key(desk.account, Label("Lost"))
    _, other = await desk.accounts.create_key(desk.account, Label("Kept"))
    await desk.accounts.delete_key(desk.account.id, record.id)
    with pytest.raises(Unauthenticated):
        await desk.accounts.authenticate(key)
    assert (await desk.accounts.authenticate(other)).account == desk.account


async def test_a_key_is_deleted_once(desk: Desk) -> None:
    record, _ = await desk.accounts.create_key(desk.account, Label("Lost"))
    await desk.accounts.delete_key(desk.account.id, record.id)
    with pytest.raises(NotFound):
        await desk.accounts.delete_key(desk.account.id, record.id)


async def test_nobody_sees_or_deletes_another_accounts_keys(desk: Desk) -> None:
    record, key = await desk.accounts.create_key(desk.account, Label("Till"))
    assert (await desk.accounts.keys(desk.foreign.id, before=None, limit=10)).items == []
    with pytest.raises(NotFound):
        await desk.accounts.delete_key(desk.foreign.id, record.id)
    assert (await desk.accounts.authenticate(key)).account == desk.account


async def test_keys_are_listed_newest_first_in_pages(desk: Desk) -> None:
    made = [(await desk.accounts.create_key(desk.account, Label(f"Key {n}")))[0] for n in range(3)]
    first = await desk.accounts.keys(desk.account.id, before=None, limit=2)
    rest = await desk.accounts.keys(desk.account.id, before=first.next, limit=2)
    assert first.items + rest.items == made[::-1]
    assert rest.next is None


async def test_a_key_that_has_expired_opens_nothing(desk: Desk) -> None:
    ends = datetime.now(UTC) + timedelta(days=1)
    record, key = await desk.accounts.create_key(desk.account, Label("Till"), expires_at=ends)
    assert (await desk.accounts.authenticate(key)).key == record
    tomorrow = Accounts(PostgresAccounts(desk.database, PLANS), now=lambda: ends, new_id=new_id)
    with pytest.raises(Unauthenticated, match="expired on"):
        await tomorrow.authenticate(key)


async def test_a_key_that_is_born_expired_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidValue) as caught:
        await desk.accounts.create_key(desk.account, Label("Till"), expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert (caught.value.reason, caught.value.field) == ("in_the_past", "expires_at")


async def test_a_key_hands_on_what_it_has_and_no_more(desk: Desk) -> None:
    some = permissions(["read", "links:write"])
    by, _ = await desk.accounts.create_key(desk.account, Label("Some"), permissions=some)
    for fewer in (["read"], ["links:read", "qr-codes:read"], ["links:write"]):
        await desk.accounts.create_key(desk.account, Label("Fewer"), permissions=permissions(fewer), by=by)
    for more in (["render"], ["write"], ["links:write", "qr-codes:write"]):
        with pytest.raises(InvalidValue) as caught:
            await desk.accounts.create_key(desk.account, Label("More"), permissions=permissions(more), by=by)
        assert (caught.value.reason, caught.value.field) == ("not_held", "permissions")


async def test_the_last_use_of_a_key_is_kept_and_never_goes_back(desk: Desk) -> None:
    record, key = await desk.accounts.create_key(desk.account, Label("Till"))
    assert record.last_used_at is None
    await desk.accounts.authenticate(key)
    await desk.accounts.store_uses()
    first = (await desk.accounts.keys(desk.account.id, before=None, limit=1)).items[0].last_used_at
    assert first is not None
    await PostgresAccounts(desk.database, PLANS).keys_used({record.id: first - timedelta(hours=1)})
    assert (await desk.accounts.keys(desk.account.id, before=None, limit=1)).items[0].last_used_at == first


async def test_an_account_that_there_is_not_gets_no_key(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.accounts.create_key(replace(desk.account, id=AccountId(1)), Label("Till"))
    with pytest.raises(NotFound):
        await desk.accounts.get(AccountId(1))


async def test_the_first_account_is_made_once(database_url: str) -> None:
    database = Database(database_url, max_connections=1)
    await database.open()
    try:
        accounts = Accounts(PostgresAccounts(database, PLANS), now=lambda: datetime.now(UTC), new_id=new_id)
        key = await accounts.create_first()
        assert key is not None
        assert (await accounts.authenticate(key)).account.name == "First account"
        assert await accounts.create_first() is None
    finally:
        await database.close()
