"""Use cases: accounts and the keys that open them."""

import hashlib
import secrets
import string
from collections.abc import Callable
from datetime import datetime

from server.domain.errors import NotFound, Unauthenticated
from server.domain.ids import id_text
from server.domain.label import Label
from server.domain.model import Account, AccountId, ApiKey, ApiKeyId, Page
from server.domain.ports import AccountStore

KEY_PREFIX = "qredge_"
KEY_ALPHABET = string.ascii_letters + string.digits
KEY_RANDOM_LENGTH = 40  # 238 bits: SHA-256 without salt or stretching is enough for a secret nobody can guess


class Accounts:
    """Accounts and API keys. Only a key's SHA-256 is kept; the key is returned once, by what makes it."""

    def __init__(self, store: AccountStore, *, now: Callable[[], datetime], new_id: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id

    async def create_first(self) -> str | None:
        """On a database without accounts, makes one with a key and returns the key; else None."""
        account = self._new_account(Label("First account"))
        record, key = self._new_key(account.id, Label("First key"))
        return key if await self._store.add_first(account, record, _digest(key)) else None

    async def create(self, name: Label) -> Account:
        account = self._new_account(name)
        await self._store.add_account(account)
        return account

    async def create_key(self, account: AccountId, name: Label) -> tuple[ApiKey, str]:
        record, key = self._new_key(account, name)
        await self._store.add_key(record, _digest(key))
        return record, key

    def _new_account(self, name: Label) -> Account:
        return Account(id=AccountId(self._new_id()), name=name, created_at=self._now())

    def _new_key(self, account: AccountId, name: Label) -> tuple[ApiKey, str]:
        key = KEY_PREFIX + "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_RANDOM_LENGTH))
        record = ApiKey(
            id=ApiKeyId(self._new_id()), account_id=account, name=name, last4=key[-4:], created_at=self._now()
        )
        return record, key

    async def authenticate(self, key: str) -> Account:
        account = await self._store.account_of_key(_digest(key))
        if account is None:
            raise Unauthenticated
        return account

    async def keys(self, account: AccountId, *, before: int | None, limit: int) -> Page[ApiKey]:
        return await self._store.keys(account, before=before, limit=limit)

    async def delete_key(self, account: AccountId, key: ApiKeyId) -> None:
        if not await self._store.delete_key(account, key):
            raise NotFound.of("API key", id_text("key", key))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
