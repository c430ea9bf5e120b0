"""The use cases of webhooks."""

import pytest

from server.domain.destination import Destination
from server.domain.webhooks import PAGE, SECRET_BYTES, Webhooks, secret_text
from server.parts import now
from server.storage.postgres.webhooks import PostgresWebhooks
from tests.domain.conftest import Desk
from tests.support import new_id

pytestmark = pytest.mark.anyio

THERE = Destination("https://example.com/told")


async def anywhere(_: str) -> None:
    pass


def webhooks_of(desk: Desk) -> Webhooks:
    return Webhooks(PostgresWebhooks(desk.database), anywhere, now=now, new_id=new_id)


async def test_those_of_a_format_are_found_behind_however_many_others(desk: Desk) -> None:
    webhooks = webhooks_of(desk)
    oldest, _ = await webhooks.create(desk.account, THERE, ("link.created",), format="old")
    for _ in range(PAGE):
        await webhooks.create(desk.account, THERE, ("link.created",))
    newest, _ = await webhooks.create(desk.account, THERE, ("link.created",), format="new")
    await webhooks.create(desk.foreign, THERE, ("link.created",), format="old")
    assert list(await webhooks.told_in(desk.account.id, ["old", "new"])) == [newest, oldest]
    assert list(await webhooks.told_in(desk.account.id, ["other"])) == []


async def test_a_secret_is_the_receiver_s_own_or_made(desk: Desk) -> None:
    webhooks = webhooks_of(desk)
    _, own = await webhooks.create(desk.account, THERE, ("link.created",), secret=b"a secret of my own")
    assert own == secret_text(b"a secret of my own")
    _, ours = await webhooks.create(desk.account, THERE, ("link.created",))
    assert len(ours) == len(secret_text(bytes(SECRET_BYTES)))
