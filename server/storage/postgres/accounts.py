"""Accounts and API keys."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg

from server.domain.keys import Permission
from server.domain.label import Label
from server.domain.model import Account, AccountId, ApiKey, ApiKeyId, Caller, Page
from server.domain.plan import Plan, Plans
from server.storage.postgres.caps import make_room
from server.storage.postgres.pages import page
from server.storage.postgres.pool import Database

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

log = logging.getLogger(__name__)

# Two servers may start at once on an empty database.
ALONE = "LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE"
ANY_ACCOUNT = "SELECT EXISTS (SELECT FROM accounts)"

ADD_ACCOUNT = "INSERT INTO accounts (id, name, email, plan, created_at) VALUES ($1, $2, $3, $4, $5)"

COLUMNS = "id, name, email, plan, created_at"

ACCOUNT = f"SELECT {COLUMNS} FROM accounts WHERE id = $1"

LIST_ACCOUNTS = f"SELECT {COLUMNS} FROM accounts WHERE id < $1 ORDER BY id DESC LIMIT $2"

SET_PLAN = f"UPDATE accounts SET plan = $2 WHERE id = $1 RETURNING {COLUMNS}"

KEY = (
    "api_keys.id, account_id, api_keys.name, format, permissions, last4, expires_at, last_used_at, api_keys.created_at"
)

CALLER = f"""
    SELECT {KEY}, accounts.name AS account_name, accounts.email, accounts.plan,
        accounts.created_at AS account_created_at
    FROM api_keys JOIN accounts ON accounts.id = api_keys.account_id
    WHERE api_keys.digest = $1
"""

ADD_KEY = """
    INSERT INTO api_keys (id, account_id, digest, name, format, permissions, last4, expires_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

LIST_KEYS = f"SELECT {KEY} FROM api_keys WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"

# In the order of the keys, so that two processes cannot wait for each other; and never back in time.
KEYS_USED = """
    WITH used AS (
        SELECT id, at FROM unnest($1::bigint[], $2::timestamptz[]) AS used (id, at)
        JOIN api_keys USING (id) ORDER BY id FOR NO KEY UPDATE OF api_keys
    )
    UPDATE api_keys SET last_used_at = greatest(last_used_at, used.at) FROM used WHERE api_keys.id = used.id
"""

DELETE_KEY = "DELETE FROM api_keys WHERE ($1::bigint IS NULL OR account_id = $1) AND id = $2 RETURNING account_id"


class PostgresAccounts:
    """`AccountStore`."""

    def __init__(self, database: Database, plans: Plans) -> None:
        self._database = database
        self._plans = plans
        #: Plans that accounts have and nobody has defined, as far as that has been said.
        self._undefined: set[str] = set()

    async def add_account(self, account: Account) -> None:
        async with self._database.connection() as connection:
            await _add_account(connection, account)

    async def add_first(self, account: Account, key: ApiKey, digest: bytes) -> bool:
        async with self._database.transaction() as connection:
            await connection.execute(ALONE)
            if await connection.fetchval(ANY_ACCOUNT):
                return False
            await _add_account(connection, account)
            await _add_key(connection, key, digest)
            return True

    async def account(self, account: AccountId) -> Account | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(ACCOUNT, account)
        return None if row is None else self._account(row)

    async def accounts(self, *, before: int | None, limit: int) -> Page[Account, int]:
        async with self._database.connection() as connection:
            return await page(connection, LIST_ACCOUNTS, [], before, limit, self._account)

    async def set_plan(self, account: AccountId, plan: Plan) -> Account | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(SET_PLAN, account, plan.name)
        return None if row is None else self._account(row)

    async def caller(self, digest: bytes) -> Caller | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(CALLER, digest)
        if row is None:
            return None
        account = Account(
            id=AccountId(row["account_id"]),
            name=Label.stored(row["account_name"]),
            email=row["email"],
            plan=self._plan(row["plan"]),
            created_at=row["account_created_at"],
        )
        return Caller(account, _key(row))

    async def add_key(self, key: ApiKey, digest: bytes, plan: Plan) -> bool:
        try:
            async with self._database.transaction() as connection:
                await make_room(connection, key.account_id, plan, keys=1)
                await _add_key(connection, key, digest)
        except asyncpg.ForeignKeyViolationError:
            return False
        return True

    async def keys(self, account: AccountId, *, before: int | None, limit: int) -> Page[ApiKey, int]:
        async with self._database.connection() as connection:
            return await page(connection, LIST_KEYS, [account], before, limit, _key)

    async def keys_used(self, at: Mapping[ApiKeyId, datetime]) -> None:
        async with self._database.connection() as connection:
            await connection.execute(KEYS_USED, list(at), list(at.values()))

    async def delete_key(self, account: AccountId | None, key: ApiKeyId) -> AccountId | None:
        async with self._database.connection() as connection:
            owner: int | None = await connection.fetchval(DELETE_KEY, account, key)
        return None if owner is None else AccountId(owner)

    def _account(self, row: asyncpg.Record) -> Account:
        return Account(
            id=AccountId(row["id"]),
            name=Label.stored(row["name"]),
            email=row["email"],
            plan=self._plan(row["plan"]),
            created_at=row["created_at"],
        )

    def _plan(self, name: str) -> Plan:
        if name not in self._plans and name not in self._undefined:
            self._undefined.add(name)
            log.error("accounts have the plan %s, which is not defined: their keys open nothing", name)
        return self._plans.of(name)


async def _add_account(connection: "Connection", account: Account) -> None:
    await connection.execute(
        ADD_ACCOUNT, account.id, account.name, account.email, account.plan.name, account.created_at
    )


async def _add_key(connection: "Connection", key: ApiKey, digest: bytes) -> None:
    await connection.execute(
        ADD_KEY,
        *(key.id, key.account_id, digest, key.name, key.format),
        *(sorted(key.permissions), key.last4, key.expires_at, key.created_at),
    )


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(row["id"]),
        account_id=AccountId(row["account_id"]),
        name=Label.stored(row["name"]),
        format=row["format"],
        permissions=frozenset(map(Permission, row["permissions"])),
        last4=row["last4"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        created_at=row["created_at"],
    )
