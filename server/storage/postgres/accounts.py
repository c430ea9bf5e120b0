"""Accounts and API keys."""

from typing import TYPE_CHECKING

import asyncpg

from server.domain.label import Label
from server.domain.model import Account, AccountId, ApiKey, ApiKeyId, Page
from server.storage.postgres.pages import page
from server.storage.postgres.pool import Database

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

# Two servers may start at once on an empty database.
ALONE = "LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE"
ANY_ACCOUNT = "SELECT EXISTS (SELECT FROM accounts)"

ADD_ACCOUNT = "INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3)"

ACCOUNT_OF_KEY = """
    SELECT accounts.id, accounts.name, accounts.created_at
    FROM api_keys JOIN accounts ON accounts.id = api_keys.account_id
    WHERE api_keys.digest = $1
"""

ADD_KEY = """
    INSERT INTO api_keys (id, account_id, digest, name, last4, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""

LIST_KEYS = """
    SELECT id, account_id, name, last4, created_at FROM api_keys
    WHERE account_id = $1 AND id < $2
    ORDER BY id DESC LIMIT $3
"""

DELETE_KEY = "DELETE FROM api_keys WHERE account_id = $1 AND id = $2 RETURNING id"


class PostgresAccounts:
    """`AccountStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_account(self, account: Account) -> None:
        async with self._database.connection() as connection:
            await connection.execute(ADD_ACCOUNT, account.id, account.name, account.created_at)

    async def add_first(self, account: Account, key: ApiKey, digest: bytes) -> bool:
        async with self._database.transaction() as connection:
            await connection.execute(ALONE)
            if await connection.fetchval(ANY_ACCOUNT):
                return False
            await connection.execute(ADD_ACCOUNT, account.id, account.name, account.created_at)
            await _add_key(connection, key, digest)
            return True

    async def account_of_key(self, digest: bytes) -> Account | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(ACCOUNT_OF_KEY, digest)
        if row is None:
            return None
        return Account(id=AccountId(row["id"]), name=Label.stored(row["name"]), created_at=row["created_at"])

    async def add_key(self, key: ApiKey, digest: bytes) -> None:
        async with self._database.connection() as connection:
            await _add_key(connection, key, digest)

    async def keys(self, account: AccountId, *, before: int | None, limit: int) -> Page[ApiKey]:
        async with self._database.connection() as connection:
            return await page(connection, LIST_KEYS, account, before, limit, _key)

    async def delete_key(self, account: AccountId, key: ApiKeyId) -> bool:
        async with self._database.connection() as connection:
            return await connection.fetchval(DELETE_KEY, account, key) is not None


async def _add_key(connection: "Connection", key: ApiKey, digest: bytes) -> None:
    await connection.execute(ADD_KEY, key.id, key.account_id, digest, key.name, key.last4, key.created_at)


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(row["id"]),
        account_id=AccountId(row["account_id"]),
        name=Label.stored(row["name"]),
        last4=row["last4"],
        created_at=row["created_at"],
    )
