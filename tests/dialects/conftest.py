"""What the tests of dialects need: accounts on a vendor's plan, with a key of its form."""

import asyncio
from collections.abc import Callable

import pytest

from server.app import now
from server.dialects import key_formats
from server.domain.accounts import Accounts
from server.domain.label import Label
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.pool import Database
from tests.support import PLANS, ServerProcess, new_id

NewKey = Callable[..., str]


@pytest.fixture
def new_key(server: ServerProcess) -> NewKey:
    """Makes an account, and returns its key: new_key("qrlogo", plan="qrlogo.advanced")."""

    def make(dialect: str, *, plan: str = "unlimited") -> str:
        return asyncio.run(_new_key(server.database_url, dialect, plan))

    return make


async def _new_key(database_url: str, dialect: str, plan: str) -> str:
    database = Database(database_url, max_connections=1)
    await database.open()
    try:
        accounts = Accounts(PostgresAccounts(database, PLANS), now=now, new_id=new_id)
        account = await accounts.create(Label("Vendor's client"), plan=PLANS.named(plan))
        _, key = await accounts.create_key(account, Label("Test"), form=key_formats()[dialect])
        return key
    finally:
        await database.close()
